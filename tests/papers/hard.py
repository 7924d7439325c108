"""Papers that lead astray: amendments, letters, profiles by an agency. What is sure has to be right; much may be missing."""

from papers.contracts import Paper

_D = "\N{EN DASH}"

HARD_CONTRACTS = (
    Paper(
        "sow",
        """STATEMENT OF WORK No. 3
under the Master Services Agreement dated 12 May 2021

Between
Acme Corporation ("Acme")
and
Widget & Sons Ltd. ("Contractor")

Project start: 1 September 2023
Project end: 28 February 2024

Acme will pay Contractor EUR 12,000 within 30 days.
The Contractor will give notice of delays within 5 days.
Signed on 28 August 2023
""",
        {
            "title": "STATEMENT OF WORK No. 3",
            "parties": [
                {"name": "Acme Corporation", "role": "Acme"},
                {"name": "Widget & Sons Ltd.", "role": "Contractor"},
            ],
            "effectiveDate": "2023-09-01",
            "endDate": "2024-02-28",
            "signingDate": "2023-08-28",
        },
    ),
    Paper(
        "loan",
        f"""DARLEHENSVERTRAG

Zwischen
1. Herrn Thomas Berger, geb. am 03.03.1970, wohnhaft Am Markt 1, 50667 Köln,
   {_D} Darlehensgeber {_D}
und
2. Frau Ulrike Sommer, geb. am 05.05.1980, wohnhaft Domstr. 2, 50668 Köln,
   {_D} Darlehensnehmerin {_D}

wird folgender Darlehensvertrag geschlossen:

§ 1 Der Darlehensgeber gewährt ein Darlehen von 20.000 EUR. Die Auszahlung erfolgt am 01.04.2022.
§ 2 Das Darlehen ist in 48 Monatsraten, beginnend am 01.05.2022, zurückzuzahlen, letzte Rate am 01.04.2026.
§ 3 Das Darlehen kann mit einer Frist von sechs Wochen gekündigt werden.
Die ordentliche Kündigung ist innerhalb der ersten zwei Jahre ausgeschlossen.

Köln, den 25.03.2022
""",
        {
            "title": "DARLEHENSVERTRAG",
            "parties": [
                {"name": "Thomas Berger", "role": "Darlehensgeber"},
                {"name": "Ulrike Sommer", "role": "Darlehensnehmerin"},
            ],
            "noticePeriod": "P6W",
            "signingDate": "2022-03-25",
        },
    ),
    Paper(
        "lease",
        """COMMERCIAL LEASE AGREEMENT
THIS LEASE is made the 5th day of April 2022
BETWEEN:
LANDLORD: Granite Estates Limited (company number 04455667)
TENANT: Copper Kettle Cafes Ltd (company number 11223344)
1. The Landlord lets the Premises to the Tenant for a term of ten years from and including
25 March 2022 to and including 24 March 2032.
2. The rent is £45,000 per year, payable quarterly in advance. The Tenant shall pay a deposit of three months' rent.
3. Break clause: the Tenant may end this lease on 25 March 2027 by giving at least six months' notice.
4. The rent is reviewed every five years.
5. This lease is governed by the law of England and Wales.
6. Disputes shall be referred to arbitration in London.
""",
        {
            "title": "COMMERCIAL LEASE AGREEMENT",
            "parties": [
                {"name": "Granite Estates Limited", "role": "LANDLORD"},
                {"name": "Copper Kettle Cafes Ltd", "role": "TENANT"},
            ],
            "effectiveDate": "2022-03-25",
            "endDate": "2032-03-24",
            "term": "P10Y",
            "noticePeriod": "P6M",
            "governingLaw": "England and Wales",
            "governingLawCountry": "GB",
            "signingDate": "2022-04-05",
        },
    ),
    Paper(
        "saas",
        """Software as a Service Agreement

Contract No.: 2024-0817
Customer: Fern Hollow Dairy Cooperative, 12 Lake Rd, Madison, WI 53703
Vendor: CloudBarn, Inc.
Order date: 02/03/2024
Subscription term: 36 months
Billing: annual in advance, net 45 days

Section 1. Subscription. The subscription starts on February 15, 2024 and continues for the Subscription Term. The subscription
renews for one (1) year terms unless canceled ninety (90) days before expiry.
Section 2. Support within 4 hours. Backups are kept for 30 days after termination.
Section 3. Price increases are announced 60 days in advance.
Section 4. Laws of the State of Wisconsin apply. Venue lies in Dane County, Wisconsin.
""",
        {
            "title": "Software as a Service Agreement",
            "parties": [
                {"name": "Fern Hollow Dairy Cooperative", "role": "Customer"},
                {"name": "CloudBarn, Inc.", "role": "Vendor"},
            ],
            "effectiveDate": "2024-02-15",
            "term": "P36M",
            "renewalTerm": "P1Y",
            "noticePeriod": "P90D",
            "governingLaw": "Wisconsin",
            "governingLawCountry": "US",
            "jurisdiction": "Dane County",
        },
    ),
    Paper(
        "arbeitsvertrag",
        """Arbeitsvertrag

Zwischen der Firma Müller Maschinenbau GmbH, Industriestr. 5, 70565 Stuttgart (nachfolgend Arbeitgeber genannt)
und Frau Petra Klein, Rosenweg 3, 70567 Stuttgart (nachfolgend Arbeitnehmerin genannt)
wird folgender Arbeitsvertrag geschlossen:

§ 1 Beginn des Arbeitsverhältnisses
Das Arbeitsverhältnis beginnt am 1. Juli 2023. Die ersten sechs Monate gelten als Probezeit. Während der Probezeit kann das
Arbeitsverhältnis mit einer Frist von zwei Wochen gekündigt werden.
§ 2 Befristung
Das Arbeitsverhältnis ist befristet bis zum 30. Juni 2025.
§ 3 Arbeitszeit 40 Stunden, Urlaub 30 Tage im Jahr.
§ 4 Kündigung
Nach Ablauf der Probezeit beträgt die Kündigungsfrist drei Monate zum Quartalsende.
§ 5 Ausschlussfrist: Ansprüche verfallen, wenn sie nicht innerhalb von drei Monaten geltend gemacht werden.

Stuttgart, den 2. Juni 2023
""",
        {
            "title": "Arbeitsvertrag",
            "parties": [
                {"name": "Müller Maschinenbau GmbH", "role": "Arbeitgeber"},
                {"name": "Petra Klein", "role": "Arbeitnehmerin"},
            ],
            "effectiveDate": "2023-07-01",
            "endDate": "2025-06-30",
            "noticePeriod": "P3M",
            "signingDate": "2023-06-02",
        },
    ),
    Paper(
        "amendment",
        """FIRST AMENDMENT TO SERVICES AGREEMENT

This First Amendment, effective as of July 1, 2022, amends the Services Agreement dated January 5, 2020 (the "Original Agreement") between Zeta Labs LLC ("Zeta") and the City of Springfield ("City").

1. Section 3 of the Original Agreement, which reads "The term ends on December 31, 2022", is replaced by "The term ends on December 31, 2024".
2. All other terms, including the sixty (60) day notice period, remain in effect.
""",
        {
            "title": "FIRST AMENDMENT TO SERVICES AGREEMENT",
            "parties": [{"name": "Zeta Labs LLC", "role": "Zeta"}, {"name": "City of Springfield", "role": "City"}],
            "effectiveDate": "2022-07-01",
            "endDate": "2024-12-31",
            "noticePeriod": "P60D",
        },
    ),
    Paper(
        "no contract",
        """Dear Ms Jones,

thank you for your letter of 3 May 2024. We are pleased to confirm that the agreement between us ends on 1 June 2024, as discussed with Mr Brown on 12 April 2024. Our offices are closed for two weeks. Please give notice to your bank.

Yours, Tim Cole
""",
        {},
    ),
)

HARD_RESUMES = (
    Paper(
        "academic",
        f"""CURRICULUM VITAE OF DR. MARIA GONZALEZ RUIZ
Department of Physics, University of Oslo, Norway
maria.gonzalez@fys.example.no   +47 22 85 50 50

Appointments
2019{_D}        Associate Professor, University of Oslo
2015{_D}2019    Postdoctoral Researcher, CERN, Geneva

Education
2015  PhD in Physics, Universidad de Valencia
2010  Licenciatura en Física, Universidad de Valencia

Publications
Gonzalez M. et al., Phys. Rev. D 2018, 97, 1-12.
""",
        {
            "name": "Maria Gonzalez Ruiz",
            "mail": "maria.gonzalez@fys.example.no",
            "phone": "+4722855050",
            "education": [
                {"degree": "PhD in Physics", "institution": "Universidad de Valencia", "to": "2015"},
                {"degree": "Licenciatura en Física", "institution": "Universidad de Valencia", "to": "2010"},
            ],
        },
    ),
    Paper(
        "company first",
        f"""Samuel Okafor
Senior Product Designer
Email: hello@samdesigns.example.com  Phone: 07700 900123  London, UK

Employment History

Monzo — London
Senior Product Designer
Jan 2021 {_D} now
Designed the savings pots. Worked with 3 squads.

Figma Inc. — Remote
Product Designer
Feb 2018 {_D} Dec 2020

Education
Royal College of Art, MA Design Products, 2017

Skills
User research, prototyping, design systems
Interests: cycling, chess
""",
        {
            "name": "Samuel Okafor",
            "mail": "hello@samdesigns.example.com",
            "location": "London, UK",
            "positions": [
                {"title": "Senior Product Designer", "employer": "Monzo", "from": "2021-01", "current": True},
                {
                    "title": "Product Designer",
                    "employer": "Figma Inc.",
                    "from": "2018-02",
                    "to": "2020-12",
                    "current": False,
                },
            ],
            "education": [{"degree": "MA Design Products", "institution": "Royal College of Art", "to": "2017"}],
            "skills": ["User research", "prototyping", "design systems"],
        },
    ),
    Paper(
        "agency",
        """RECRUITMENT PARTNERS GMBH
Kandidatenprofil 4711
Ansprechpartner: Karl Wagner, wagner@recruiting.example.de, Tel. 069 1234567

Kandidat: Herr S. L., Jahrgang 1985
Wohnort: Raum Frankfurt

Berufserfahrung
seit 2018 Projektleiter bei einem großen Automobilzulieferer
2012 - 2018 Ingenieur, Bosch
""",
        {"mail": "wagner@recruiting.example.de", "location": "Raum Frankfurt"},
    ),
    Paper(
        "table",
        """Name: Schmidt, Anna-Lena
Adresse: Hauptstr. 1, 10115 Berlin
Tel: 030/1234567 oder 0170 1234567

Ausbildung:
Sept. 2008 - Juni 2016    Lessing-Gymnasium Berlin
                          Abschluss: Abitur (1,7)
Okt. 2016 - Sept. 2019    TU Berlin
                          Studium Maschinenbau, Bachelor of Science

Praktika:
Juli 2018 - Sept. 2018    Siemens AG, Berlin
Berufspraxis:
Jan. 2020 - heute         Rolls-Royce Deutschland, Dahlewitz
                          Entwicklungsingenieurin
""",
        {
            "name": "Schmidt, Anna-Lena",
            "location": "Hauptstr. 1, 10115 Berlin",
            "positions": [
                {
                    "title": "Entwicklungsingenieurin",
                    "employer": "Rolls-Royce Deutschland",
                    "from": "2020-01",
                    "current": True,
                }
            ],
            "education": [
                {
                    "degree": "Abitur (1,7)",
                    "institution": "Lessing-Gymnasium Berlin",
                    "from": "2008-09",
                    "to": "2016-06",
                },
                {"degree": "Bachelor of Science", "institution": "TU Berlin", "from": "2016-10", "to": "2019-09"},
            ],
        },
    ),
    Paper(
        "multi roles",
        """Tom Baker
tom.baker@example.com | San Francisco, CA 94105 | (415) 555-2671

PROFESSIONAL EXPERIENCE
Google, Mountain View, CA
Staff Engineer (2021 - Present)
Senior Engineer (2018 - 2021)
- Shipped things
Startup Weekend, San Jose, CA
Mentor (2016 - 2017)

EDUCATION
Stanford University, Stanford, CA
M.S., Computer Science, June 2014
""",
        {
            "name": "Tom Baker",
            "mail": "tom.baker@example.com",
            "location": "San Francisco, CA 94105",
            "phone": "+14155552671",
            "positions": [
                {"title": "Staff Engineer", "employer": "Google", "from": "2021", "current": True},
                {"title": "Senior Engineer", "employer": "Google", "from": "2018", "to": "2021", "current": False},
                {"title": "Mentor", "employer": "Startup Weekend", "from": "2016", "to": "2017", "current": False},
            ],
        },
    ),
)

"""Contracts as people write them, with what they say. All names are made up."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Paper:
    name: str
    text: str
    values: dict[str, Any]


SERVICES = Paper(
    "services agreement between companies",
    """MASTER SERVICES AGREEMENT

This Master Services Agreement (the "Agreement") is made and entered into as of
January 15, 2024 (the "Effective Date") by and between Northwind Analytics, Inc., a
Delaware corporation with its principal place of business at 410 Harbor Street, Boston,
MA 02110 ("Provider"), and Bluefield Logistics LLC, a New York limited liability company
having its offices at 55 Water Street, New York, NY 10041 ("Client").

WHEREAS, Client wishes to engage Provider; and
WHEREAS, Provider is willing to perform the Services.

1. Term. The initial term of this Agreement shall be twenty-four (24) months from the
Effective Date. Thereafter this Agreement shall automatically renew for successive
periods of twelve (12) months, unless either party gives at least sixty (60) days' prior
written notice of non-renewal before the end of the then current term.

2. Fees. Client shall pay each invoice within thirty (30) days of receipt. Overdue
amounts bear interest at 1.5% per month.

3. Termination for Cause. Either party may terminate this Agreement if the other party
commits a material breach and fails to cure it within thirty (30) days after notice.

4. Confidentiality. The obligations of this Section survive for a period of five (5)
years after termination.

5. Governing Law. This Agreement shall be governed by and construed in accordance with
the laws of the State of New York, without regard to its conflict of laws rules. The
parties submit to the exclusive jurisdiction of the state and federal courts located in
New York County, and waive any objection to venue.

IN WITNESS WHEREOF, the parties have executed this Agreement.

NORTHWIND ANALYTICS, INC.              BLUEFIELD LOGISTICS LLC
By: ______________________             By: ______________________
Name: Carla Mendes                     Name: Peter Olsen
Title: CEO                             Title: VP Operations
Date: January 12, 2024                 Date: January 12, 2024
""",
    {
        "title": "MASTER SERVICES AGREEMENT",
        "parties": [
            {"name": "Northwind Analytics, Inc.", "role": "Provider"},
            {"name": "Bluefield Logistics LLC", "role": "Client"},
        ],
        "effectiveDate": "2024-01-15",
        "signingDate": "2024-01-12",
        "term": "P24M",
        "autoRenews": True,
        "renewalTerm": "P12M",
        "noticePeriod": "P60D",
        "governingLaw": "New York",
        "governingLawCountry": "US",
        "jurisdiction": "New York County",
    },
)

DIENSTLEISTUNG = Paper(
    "german contract for services",
    """Dienstleistungsvertrag

zwischen

Hansewerk Software GmbH
Speicherstraße 12, 20457 Hamburg
vertreten durch die Geschäftsführerin Dr. Marlene Voss
\N{EN DASH} nachfolgend \N{DOUBLE LOW-9 QUOTATION MARK}Auftragnehmer\N{LEFT DOUBLE QUOTATION MARK} genannt \N{EN DASH}

und

Brauerei Lindental AG
Marktplatz 3, 86150 Augsburg
\N{EN DASH} nachfolgend \N{DOUBLE LOW-9 QUOTATION MARK}Auftraggeber\N{LEFT DOUBLE QUOTATION MARK} genannt \N{EN DASH}

wird folgender Vertrag geschlossen:

§ 1 Vertragsgegenstand
Der Auftragnehmer betreibt für den Auftraggeber die Warenwirtschaft.

§ 2 Vergütung
Rechnungen sind innerhalb von 14 Tagen nach Zugang zu zahlen.

§ 3 Laufzeit und Kündigung
(1) Der Vertrag tritt am 1. März 2025 in Kraft und hat eine Laufzeit von zwei Jahren.
(2) Er verlängert sich jeweils um weitere zwölf (12) Monate, wenn er nicht mit einer Frist
von drei Monaten zum Ende der Laufzeit schriftlich gekündigt wird.
(3) Das Recht zur fristlosen Kündigung aus wichtigem Grund bleibt unberührt.

§ 4 Gewährleistung
Mängelansprüche verjähren in einem Jahr.

§ 5 Schlussbestimmungen
Es gilt das Recht der Bundesrepublik Deutschland unter Ausschluss des UN-Kaufrechts.
Ausschließlicher Gerichtsstand ist Hamburg.

Hamburg, den 14. Februar 2025            Augsburg, den 14. Februar 2025

____________________________             ____________________________
Auftragnehmer                            Auftraggeber
""",
    {
        "title": "Dienstleistungsvertrag",
        "parties": [
            {"name": "Hansewerk Software GmbH", "role": "Auftragnehmer"},
            {"name": "Brauerei Lindental AG", "role": "Auftraggeber"},
        ],
        "effectiveDate": "2025-03-01",
        "signingDate": "2025-02-14",
        "term": "P2Y",
        "autoRenews": True,
        "renewalTerm": "P12M",
        "noticePeriod": "P3M",
        "governingLaw": "Bundesrepublik Deutschland",
        "governingLawCountry": "DE",
        "jurisdiction": "Hamburg",
    },
)

SECRECY = Paper(
    "mutual secrecy agreement",
    """MUTUAL NON-DISCLOSURE AGREEMENT

This Agreement is dated 3 June 2023 and made between:

(1) ORCHARD LANE DESIGN LIMITED, a company registered in England under number 0712345,
whose registered office is at 8 Mill Road, Bristol BS1 5TR (the "Discloser"); and

(2) KESTREL MOTORS PLC, a company registered in England under number 0298765, whose
registered office is at 1 Foundry Way, Coventry CV1 2AB (the "Recipient").

Background
The parties wish to discuss a possible project and to protect their secrets.

1. Confidential Information means all information disclosed by either party.
2. This Agreement commences on 5 June 2023 and continues for a period of three years,
ending on 4 June 2026. It shall not renew automatically.
3. Either party may terminate this Agreement on giving one month's written notice.
4. This Agreement is governed by the laws of England and Wales, and the courts of England
and Wales have exclusive jurisdiction.

Signed for ORCHARD LANE DESIGN LIMITED
........................................
Signed for KESTREL MOTORS PLC
........................................
""",
    {
        "title": "MUTUAL NON-DISCLOSURE AGREEMENT",
        "parties": [
            {"name": "ORCHARD LANE DESIGN LIMITED", "role": "Discloser"},
            {"name": "KESTREL MOTORS PLC", "role": "Recipient"},
        ],
        "effectiveDate": "2023-06-05",
        "signingDate": "2023-06-03",
        "endDate": "2026-06-04",
        "term": "P3Y",
        "autoRenews": False,
        "noticePeriod": "P1M",
        "governingLaw": "England and Wales",
        "governingLawCountry": "GB",
        "jurisdiction": "England and Wales",
    },
)

MIETVERTRAG = Paper(
    "german lease of a flat",
    """Wohnraummietvertrag

Vermieter: Sabine Krüger, Gartenweg 4, 04229 Leipzig
Mieter: Jonas Albrecht, geboren am 12.07.1990, Karl-Heine-Straße 77, 04229 Leipzig

§ 1 Mietsache
Vermietet wird die Wohnung Nonnenstraße 9, 04229 Leipzig, 3. Obergeschoss, 71,5 m².

§ 2 Mietzeit
Das Mietverhältnis beginnt am 01.10.2024 und läuft auf unbestimmte Zeit.
Die Kündigungsfrist beträgt drei Monate.

§ 3 Miete
Die Miete beträgt monatlich 780,00 EUR zuzüglich 190,00 EUR Nebenkosten. Die Kaution
beträgt 2.340,00 EUR und ist in drei Monatsraten zahlbar.

Leipzig, 02.09.2024

_____________________        _____________________
Vermieter                    Mieter
""",
    {
        "title": "Wohnraummietvertrag",
        "parties": [
            {"name": "Sabine Krüger", "role": "Vermieter"},
            {"name": "Jonas Albrecht", "role": "Mieter"},
        ],
        "effectiveDate": "2024-10-01",
        "signingDate": "2024-09-02",
        "noticePeriod": "P3M",
    },
)

EMPLOYMENT = Paper(
    "employment contract as a table of particulars",
    """Contract of Employment

Employer: Fenwick & Dale Publishing Ltd
Employee: Amelia Hartley
Job title: Editor
Start date: 2 September 2024
Place of work: Leeds

1. Probation. The first six months of your employment are a probationary period, during
which either party may end the employment by one week's notice.

2. Hours. You will work 37.5 hours a week. You are entitled to 25 days' paid holiday a year.

3. Notice. After the probationary period the notice period is eight (8) weeks.

4. Law. This contract is subject to English law.

Date: 19 July 2024
""",
    {
        "title": "Contract of Employment",
        "parties": [
            {"name": "Fenwick & Dale Publishing Ltd", "role": "Employer"},
            {"name": "Amelia Hartley", "role": "Employee"},
        ],
        "effectiveDate": "2024-09-02",
        "signingDate": "2024-07-19",
        "noticePeriod": "P8W",
        "governingLaw": "England and Wales",
        "governingLawCountry": "GB",
    },
)

LIZENZ = Paper(
    "german licence with a fixed end",
    """LIZENZVERTRAG

zwischen der Tonstudio Bergfeld KG, Talstraße 8, 79102 Freiburg (im Folgenden
\N{DOUBLE LOW-9 QUOTATION MARK}Lizenzgeber\N{LEFT DOUBLE QUOTATION MARK}) und der Radio Seeblick GmbH & Co. KG, Uferallee 21, 78462
Konstanz (im Folgenden \N{DOUBLE LOW-9 QUOTATION MARK}Lizenznehmer\N{LEFT DOUBLE QUOTATION MARK}).

Präambel
Der Lizenzgeber hält die Rechte an mehreren Aufnahmen aus dem Jahr 1998.

1. Vertragsdauer
Dieser Vertrag beginnt am 01.01.2025 und endet am 31.12.2027, ohne dass es einer
Kündigung bedarf.

2. Zahlung
Die Lizenzgebühr von 12.500,00 EUR ist bis zum 31.01.2025 zu zahlen.

3. Recht
Dieser Vertrag unterliegt deutschem Recht. Gerichtsstand für alle Streitigkeiten aus
diesem Vertrag ist Freiburg.

Freiburg, 11.12.2024
""",
    {
        "title": "LIZENZVERTRAG",
        "parties": [
            {"name": "Tonstudio Bergfeld KG", "role": "Lizenzgeber"},
            {"name": "Radio Seeblick GmbH & Co. KG", "role": "Lizenznehmer"},
        ],
        "effectiveDate": "2025-01-01",
        "signingDate": "2024-12-11",
        "endDate": "2027-12-31",
        "autoRenews": False,
        "governingLaw": "Deutschland",
        "governingLawCountry": "DE",
        "jurisdiction": "Freiburg",
    },
)

CONSULTING = Paper(
    "letter of engagement without roles in brackets",
    """CONSULTING AGREEMENT

Agreement between Harrow Point Capital LLP and Dr. Lena Fischer regarding advisory work.

Effective Date: 04/11/2024
Expiration Date: 10/31/2025

The Consultant may terminate this Agreement upon 30 days written notice.
This Agreement shall be governed by Delaware law.
""",
    {
        "title": "CONSULTING AGREEMENT",
        "parties": [{"name": "Harrow Point Capital LLP"}, {"name": "Dr. Lena Fischer"}],
        "effectiveDate": "2024-04-11",
        "endDate": "2025-10-31",
        "noticePeriod": "P30D",
        "governingLaw": "Delaware",
        "governingLawCountry": "US",
    },
)

CONTRACTS = (SERVICES, DIENSTLEISTUNG, SECRECY, MIETVERTRAG, EMPLOYMENT, LIZENZ, CONSULTING)

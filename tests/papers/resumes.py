"""Résumés as people write them, with what they say. All names are made up."""

from papers.contracts import Paper

_B = "\N{BULLET}"
_D = "\N{EN DASH}"

PLAIN = Paper(
    "one column, periods at the end of the line",
    f"""Jane Holloway
Boston, MA | (617) 555-0143 | jane.holloway@example.com
linkedin.com/in/janeholloway | github.com/jholloway

SUMMARY
Backend engineer with nine years of experience since 2015 in logistics.

EXPERIENCE
Senior Software Engineer, Bluefield Logistics LLC          Mar 2020 {_D} Present
{_B} Rebuilt the tracking service; cut its cost by 40 %.
{_B} Led a team of five from 2021 to 2023.

Software Engineer, Northwind Analytics, Inc.               June 2015 {_D} Feb 2020
{_B} Wrote the billing pipeline in Python and Go.

EDUCATION
B.Sc. Computer Science, Boston University                  2011 {_D} 2015

SKILLS
Languages: Python, Go, SQL
Tools: PostgreSQL, Redis, Kubernetes (EKS, GKE), CI/CD

LANGUAGES
English (native), Spanish (B2)

REFERENCES
Mark Stone, mark.stone@example.org, (212) 555-0188
""",
    {
        "name": "Jane Holloway",
        "mail": "jane.holloway@example.com",
        "phone": "+16175550143",
        "location": "Boston, MA",
        "links": ["https://linkedin.com/in/janeholloway", "https://github.com/jholloway"],
        "skills": ["Python", "Go", "SQL", "PostgreSQL", "Redis", "Kubernetes (EKS, GKE)", "CI/CD"],
        "languages": [
            {"name": "English", "code": "en", "level": "native"},
            {"name": "Spanish", "code": "es", "level": "B2"},
        ],
        "positions": [
            {
                "title": "Senior Software Engineer",
                "employer": "Bluefield Logistics LLC",
                "from": "2020-03",
                "current": True,
            },
            {
                "title": "Software Engineer",
                "employer": "Northwind Analytics, Inc.",
                "from": "2015-06",
                "to": "2020-02",
                "current": False,
            },
        ],
        "education": [
            {"degree": "B.Sc. Computer Science", "institution": "Boston University", "from": "2011", "to": "2015"}
        ],
    },
)

LEBENSLAUF = Paper(
    "german, periods in a column on the left",
    f"""Lebenslauf

Persönliche Daten
Name:            Jonas Albrecht
Geburtsdatum:    12.07.1990
Anschrift:       Karl-Heine-Straße 77, 04229 Leipzig
Telefon:         0341 2345678
E-Mail:          jonas.albrecht@example.de

Berufserfahrung
04/2019 {_D} heute       Softwareentwickler, Hansewerk Software GmbH
                      {_D} Entwicklung der Lagerverwaltung
                      {_D} Betrieb auf eigener Hardware
08/2015 {_D} 03/2019     Werkstudent bei Stadtwerke Lindental
                      {_D} Pflege der Zählerdaten

Ausbildung
10/2012 {_D} 09/2015     Bachelor Informatik, Universität Leipzig
2008 {_D} 2011           Abitur, Gymnasium am Park

Kenntnisse
Java, Kotlin, SQL
Docker, Ansible

Sprachen
Deutsch (Muttersprache)
Englisch (verhandlungssicher)
Französisch (Grundkenntnisse)
""",
    {
        "name": "Jonas Albrecht",
        "mail": "jonas.albrecht@example.de",
        "phone": "+493412345678",
        "location": "Karl-Heine-Straße 77, 04229 Leipzig",
        "skills": ["Java", "Kotlin", "SQL", "Docker", "Ansible"],
        "languages": [
            {"name": "Deutsch", "code": "de", "level": "Muttersprache"},
            {"name": "Englisch", "code": "en", "level": "verhandlungssicher"},
            {"name": "Französisch", "code": "fr", "level": "Grundkenntnisse"},
        ],
        "positions": [
            {"title": "Softwareentwickler", "employer": "Hansewerk Software GmbH", "from": "2019-04", "current": True},
            {
                "title": "Werkstudent",
                "employer": "Stadtwerke Lindental",
                "from": "2015-08",
                "to": "2019-03",
                "current": False,
            },
        ],
        "education": [
            {"degree": "Bachelor Informatik", "institution": "Universität Leipzig", "from": "2012-10", "to": "2015-09"},
            {"degree": "Abitur", "institution": "Gymnasium am Park", "from": "2008", "to": "2011"},
        ],
    },
)

STACKED = Paper(
    "title, employer and period below each other",
    f"""AMELIA HARTLEY
Marketing Manager
Leeds, United Kingdom  |  +44 20 7946 0018  |  amelia@hartley.example.com
www.hartley.example.com

Profile
I plan campaigns that people remember.

Work Experience

Marketing Manager
Fenwick & Dale Publishing Ltd
January 2018 - Present
Responsible for the budget of two brands.

Marketing Assistant
Orchard Lane Design Limited
September 2014 - December 2017
Wrote the newsletter.

Education

BA English Literature
University of Leeds
2011 - 2014

Skills
{_B} Copywriting
{_B} Google Analytics
{_B} Budgeting
""",
    {
        "name": "Amelia Hartley",
        "mail": "amelia@hartley.example.com",
        "phone": "+442079460018",
        "location": "Leeds, United Kingdom",
        "links": ["https://www.hartley.example.com"],
        "skills": ["Copywriting", "Google Analytics", "Budgeting"],
        "positions": [
            {
                "title": "Marketing Manager",
                "employer": "Fenwick & Dale Publishing Ltd",
                "from": "2018-01",
                "current": True,
            },
            {
                "title": "Marketing Assistant",
                "employer": "Orchard Lane Design Limited",
                "from": "2014-09",
                "to": "2017-12",
                "current": False,
            },
        ],
        "education": [
            {"degree": "BA English Literature", "institution": "University of Leeds", "from": "2011", "to": "2014"}
        ],
    },
)

UNDER = Paper(
    "the employer in the line under the period",
    f"""Curriculum Vitae

Dr. Lena Fischer
Gartenweg 4, 04229 Leipzig
Mobil: +49 (0)151 23456789, lena.fischer@example.org

BERUFLICHER WERDEGANG

Seit 01/2021: Leiterin Forschung
Klinikum Bergfeld
{_B} Studien zur Bildgebung

05/2016 bis 12/2020: Wissenschaftliche Mitarbeiterin
Universität Freiburg
{_B} Lehre und Forschung

STUDIUM

2010 {_D} 2016 Promotion, Universität Freiburg

KENNTNISSE
R {_B} Python {_B} Statistik {_B} LaTeX
""",
    {
        "name": "Lena Fischer",
        "mail": "lena.fischer@example.org",
        "phone": "+4915123456789",
        "location": "04229 Leipzig",
        "skills": ["R", "Python", "Statistik", "LaTeX"],
        "positions": [
            {"title": "Leiterin Forschung", "employer": "Klinikum Bergfeld", "from": "2021-01", "current": True},
            {
                "title": "Wissenschaftliche Mitarbeiterin",
                "employer": "Universität Freiburg",
                "from": "2016-05",
                "to": "2020-12",
                "current": False,
            },
        ],
        "education": [{"degree": "Promotion", "institution": "Universität Freiburg", "from": "2010", "to": "2016"}],
    },
)

COLUMNS = Paper(
    "two columns side by side",
    f"""Peter van der Berg
peter.vanderberg@example.nl    +31 20 123 4567    Amsterdam, Netherlands

EXPERIENCE                                             SKILLS
Data Analyst at Kestrel Motors PLC                     SQL
May 2021 {_D} Present                                     Tableau
{_B} Monthly reports for the board                        Python

Junior Analyst at Radio Seeblick GmbH                  LANGUAGES
2018 {_D} 2021                                            Dutch (native)
{_B} Listener surveys                                     English (C1)
""",
    {
        "name": "Peter van der Berg",
        "mail": "peter.vanderberg@example.nl",
        "phone": "+31201234567",
        "location": "Amsterdam, Netherlands",
        "skills": ["SQL", "Tableau", "Python"],
        "languages": [
            {"name": "Dutch", "code": "nl", "level": "native"},
            {"name": "English", "code": "en", "level": "C1"},
        ],
        "positions": [
            {"title": "Data Analyst", "employer": "Kestrel Motors PLC", "from": "2021-05", "current": True},
            {
                "title": "Junior Analyst",
                "employer": "Radio Seeblick GmbH",
                "from": "2018",
                "to": "2021",
                "current": False,
            },
        ],
    },
)

RESUMES = (PLAIN, LEBENSLAUF, STACKED, UNDER, COLUMNS)

"""Words that tell what a name is: a company, a school, a place of work, a profession, a degree."""

from weft.kit.extraction.values.text import Pattern

_EDGE, _END = r"(?:^|[^\pL])", r"(?:[^\pL]|$)"

COMPANY = Pattern(
    rf"{_EDGE}(?:gmbh|ag|ug|kg|ohg|se|e[.]v[.]|eg|ltd[.]?|limited|inc[.]?|corp[.]?|corporation|llc|llp|plc|company|co[.]|s[.]a[.]|sarl|b[.]v[.]|bv"
    rf"|n[.]v[.]|s[.]p[.]a[.]|spa|oy|ab|a/s|aps|group|gruppe|holding|bank|stadtwerke|universität|university|hospital|klinikum|krankenhaus|sparkasse"
    rf"|versicherung|verlag|labs?|studios?|agentur|institut|institute|ministerium|ministry|stadt|school|college|airlines|systems|technologies"
    rf"|solutions|software|media|partners|capital|logistics|logistik|werke|bau|handel){_END}"
)
SCHOOL = Pattern(
    r"universit|university|college|hochschule|school|institut|académie|akademie|academy|gymnasium|fachschule|berufsschule|realschule|polytechni|eth[ ]zürich"
    rf"|{_EDGE}(?:tu|fh|eth|mit|lmu|rwth|htw|kit){_END}|école|universidad|università"
)
PROFESSION = Pattern(
    r"engineer|developer|manager|consultant|analyst|designer|director|architect|scientist|intern(?:ship)?(?:[^\pLa]|$)|assistant|researcher|officer|administrator|specialist"
    r"|coordinator|accountant|editor|teacher|nurse|technician|programmer|associate|executive|supervisor|head[ ]of|team[ ]lead|tech[ ]lead|lead[ ]|vice[ ]president|founder"
    r"|(?:^|[^\pL])(?:ceo|cto|cfo|vp|sre|dba)(?:[^\pL]|$)|entwickler|ingenieur|berater|leiter|praktik|werkstudent|mitarbeiter|sachbearbeiter|kaufmann|kauffrau"
    r"|assistent|architekt|administrator|referent|techniker|informatiker|geschäftsführer|redakteur|auszubildende|azubi|lehrer|pfleger|verkäufer|hilfskraft|trainee|tutor"
)
DEGREE = Pattern(
    r"(?:^|[^\pL])(?:b[.]?[ ]?sc|m[.]?[ ]?sc|b[.]?[ ]?a|m[.]?[ ]?a|b[.]?[ ]?eng|m[.]?[ ]?eng|mba|ph[.]?[ ]?d|dr[.]|llm|llb)(?:[^\pL]|$)"
    r"|bachelor|master|diplom|doctor|promotion|abitur|magister|staatsexamen|a-levels|high[ ]school[ ]diploma|degree|matura|fachhochschulreife|ausbildung[ ]zu"
)

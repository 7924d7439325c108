"""What the résumé rule set needs beside rules."""

from weft.kit.extraction.rule_set import RuleSet, rule_set
from weft.kit.extraction.rules import RuleSetText
from weft.kit.extraction.sets import resume_contact, resume_entries, resume_skills


def made(text: RuleSetText) -> RuleSet:
    return rule_set(
        text,
        finders={
            "names": resume_contact.names,
            "mails": resume_contact.addresses_of_mail,
            "phones": resume_contact.numbers_of_phone,
            "locations": resume_contact.locations,
            "links": resume_contact.links,
            "skills": resume_skills.skills,
            "languages": resume_skills.spoken,
            "positions": resume_entries.positions,
            "education": resume_entries.education,
        },
        reviewers=(resume_contact.review,),
    )

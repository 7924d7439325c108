"""Inbound webhooks: how a call proves where it comes from, and what is read in one that does. Pure: no storage, no clock.

    scheme      what a scheme is, and how a signature is checked: the same work for every call
    standard    Standard Webhooks, for whoever has no form of its own
    github      GitHub, and what signs as it does (Gitea, Forgejo, GitLab by choice)
    slack       Slack: events, slash commands, buttons and forms
    stripe      Stripe
    contents    body, headers and query of a genuine call, as the triggers see them

What a scheme signs is what can be trusted. All of them sign the body, none the query. GitHub signs neither a time nor the id
of the call: whoever gets hold of a call of GitHub's could send it again under another id, which its own rule knows no remedy for.
"""

from collections.abc import Mapping

from weft.domain.webhooks import WebhookScheme
from weft.triggers.webhooks.github import GITHUB
from weft.triggers.webhooks.scheme import Scheme
from weft.triggers.webhooks.slack import SLACK
from weft.triggers.webhooks.standard import STANDARD
from weft.triggers.webhooks.stripe import STRIPE

SCHEMES: Mapping[WebhookScheme, Scheme] = {
    WebhookScheme.STANDARD: STANDARD,
    WebhookScheme.GITHUB: GITHUB,
    WebhookScheme.SLACK: SLACK,
    WebhookScheme.STRIPE: STRIPE,
}

__all__ = ["SCHEMES", "Scheme"]

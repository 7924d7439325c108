"""The outside, as the steps of a workspace see it: what `weft.domain.outside` asks for, made of storage, secrets and clients.

| port | file | configured by |
|---|---|---|
| `http` | `weft.integrations.http` | the operator (`WEFT_ALLOWED_HOSTS`) |
| `files` | `files` | uploads |
| `models` | `models` | model providers of the workspace |
| `datastores` | `datastores` | datastores of the workspace |
| `integrations` | `integrations` | integrations of the workspace |

There is one `World` per process, in workers for the steps and in the API for what is checked when a definition is saved. A
workspace's `Outside` looks things up by name in that workspace only. What is looked up is remembered for a few
seconds, so that a million items cost no million lookups, and a change counts soon.
"""

from weft.engine.outside.world import OutsideOptions, World

__all__ = ["OutsideOptions", "World"]

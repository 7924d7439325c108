"""The use cases: who may, one transaction, then wake-ups.

Every operation is a function `async def verb(services, viewer, …)`: it asks the viewer for the role it needs, checks what
can be checked before anything is written, does its work and its audit entry in one transaction, and only after the
commit tells others about it. What the caller can put right is raised as a `CallerError`; the layers above translate it.
One file per noun.
"""

"""Identity: who people are, where they belong, and the only issuer of tokens.

Owns accounts, credentials, memberships, role assignments and deliveries in PostgreSQL; sessions, one-time
codes, lockouts and the deny list in the token store. Sends ``identity.user.registered``,
``identity.verification.requested`` and ``identity.email.verified``; takes no events. Answers
``ListContacts`` and ``RedeemDelivery``.
"""

"""What tests do with the secrets of programs."""

from aiohttp import encode_basic_auth

from integration.identity.conftest import PASSWORD, address, bearer

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
READER = {"name": "export", "permissions": ["membership:manage"], "lifetimeDays": 30}
PLANNER = {"roles": [{"role": "planner"}]}


async def create_token(house, access, password=PASSWORD, **changes):
    body = {**READER, "password": password, **changes}
    return await house.post("/v1/account/tokens", body, token=access)


async def made_token(house, access, **changes):
    """The answer to a wish for a token that is granted."""
    answer = await create_token(house, access, **changes)
    assert answer.status == 201, await answer.text()
    return await answer.json()


async def exchange(house, secret, **form):
    form = {"grant_type": EXCHANGE, "subject_token": secret, **form}
    return await house.http.post("/v1/oauth/token", data=form)


async def exchanged(house, secret, **form):
    """The access token for a personal one."""
    answer = await exchange(house, secret, **form)
    assert answer.status == 200, await answer.text()
    return (await answer.json())["access_token"]


async def log_in_as_client(house, client_id, secret, **form):
    form = {"grant_type": "client_credentials", **form}
    headers = {"Authorization": encode_basic_auth(str(client_id), secret)}
    return await house.http.post("/v1/oauth/token", data=form, headers=headers)


async def status_of(house, path, token, method="get"):
    return (await getattr(house.http, method)(path, headers=bearer(token))).status


async def administrator(house, **roles):
    """Address and tokens of a new person who holds the roles of a tenant's administrator."""
    email, _ = await house.member()
    held = [{"role": "learner"}, {"role": "tenant-admin", **roles}]
    await assign(house, email, held)
    return email, (await house.tokens(email))["accessToken"]


async def assign(house, email, held):
    path = f"/v1/memberships/{house.user_id(email)}/roles"
    answer = await house.http.put(path, json={"roles": held}, headers=bearer(await house.admin()))
    assert answer.status == 204, await answer.text()


async def service_account(house, access, **changes):
    body = {"name": address().partition("@")[0], **PLANNER, **changes}
    answer = await house.post("/v1/service-accounts", body, token=access)
    assert answer.status == 201, await answer.text()
    return (await answer.json())["id"]


async def new_secret(house, access, account, days=30):
    path = f"/v1/service-accounts/{account}/secrets"
    answer = await house.post(path, {"lifetimeDays": days}, token=access)
    assert answer.status == 201, await answer.text()
    return await answer.json()


async def client(house, access, **changes):
    """Id and secret of a new service account."""
    account = await service_account(house, access, **changes)
    return account, (await new_secret(house, access, account))["clientSecret"]

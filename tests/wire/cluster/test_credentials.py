"""Every kind of credential, for our client and for kopf alike, against a real HTTPS server."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import stat
import sys
import time

import pytest
import trustme
import yaml
from aiohttp import web

from fakeapi import FakeApi
from kubeyarn.cluster import connection as connection_module
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.connection import connect
from kubeyarn.cluster.errors import Refused
from kubeyarn.cluster.resources import QUEUES
from kubeyarn.model.errors import SpecError, Unavailable
from kubeyarn.resourcemanager.kopf_watch import KopfWatch


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
async def secure(authority):
    """An API server that speaks HTTPS and knows client certificates."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "api.example").configure_cert(tls)
    authority.configure_trust(tls)
    tls.verify_mode = ssl.CERT_OPTIONAL
    async with FakeApi(tls) as api:
        api.put("yarnqueues", {"metadata": {"name": "root"}})
        yield api


@pytest.fixture
def kubeconfig(tmp_path, secure, authority):
    """Writes a kubeconfig of one user and returns its path."""

    def write(user, **cluster):
        pem = authority.cert_pem.bytes()
        trusted = {"certificate-authority-data": base64.b64encode(pem).decode()}
        said = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [
                {"name": "c", "cluster": {"server": secure.url, **(cluster or trusted)}},
            ],
            "users": [{"name": "u", "user": user}],
        }
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(said))
        return str(path)

    return write


async def by_client(connection, until, background):
    """Our own client reads a queue."""
    client = KubeClient(connection, "test")
    try:
        return (await client.get(QUEUES, "root"))["metadata"]["name"]
    finally:
        await client.close()


async def by_kopf(connection, until, background):
    """kopf tells of a queue."""
    told = []
    watch = KopfWatch(connection, QUEUES, lambda _, item: told.append(item), lambda: None)
    background(watch.run())
    await until(watch.synced.is_set, 10)
    return told[0]["metadata"]["name"]


@pytest.fixture(params=[by_client, by_kopf], ids=["client", "kopf"])
def read(request, until, background):
    """Reads the queue `root` by way of a kubeconfig."""

    async def through(path):
        return await request.param(connect(path), until, background)

    return through


def plugin(tmp_path, *statuses, **more):
    """The `exec` of a kubeconfig: a program that prints one status after the other."""
    version = "client.authentication.k8s.io/v1"
    printed = [
        json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status})
        for status in statuses
    ]
    (tmp_path / "printed").write_text("\n".join(printed))
    program = tmp_path / "plugin"
    program.write_text(
        f"#!{sys.executable}\n"
        "import os, pathlib\n"
        "here = pathlib.Path(__file__).parent\n"
        "(here / 'told').write_text(os.environ['KUBERNETES_EXEC_INFO'] + os.environ.get('X', ''))\n"
        "first, *rest = (here / 'printed').read_text().split('\\n')\n"
        "(here / 'printed').write_text('\\n'.join(rest or [first]))\n"
        "print(first)\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": version, "command": "./plugin", **more}}


def in_s(seconds):
    """A time so many seconds from now, as Kubernetes writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


async def test_a_token(read, kubeconfig, secure):
    secure.authorization = "Bearer abc"

    assert await read(kubeconfig({"token": "abc"})) == "root"


async def test_a_token_file_beside_the_kubeconfig(read, kubeconfig, secure, tmp_path):
    secure.authorization = "Bearer from-a-file"
    (tmp_path / "token").write_text("from-a-file\n")

    assert await read(kubeconfig({"tokenFile": "token", "token": "older"})) == "root"


async def test_a_name_and_a_password(read, kubeconfig, secure):
    secure.authorization = "Basic " + base64.b64encode("ann:päss:word".encode()).decode()

    assert await read(kubeconfig({"username": "ann", "password": "päss:word"})) == "root"


@pytest.mark.parametrize("as_data", [True, False], ids=["data", "files"])
async def test_a_client_certificate(read, kubeconfig, secure, authority, tmp_path, as_data):
    pair = authority.issue_cert("ann@example")
    secure.certificate = True
    pems = {
        "client-certificate": pair.cert_chain_pems[0].bytes(),
        "client-key": pair.private_key_pem.bytes(),
    }
    if as_data:
        user = {f"{key}-data": base64.b64encode(pem).decode() for key, pem in pems.items()}
    else:
        for key, pem in pems.items():
            (tmp_path / key).write_bytes(pem)
        user = {key: key for key in pems}

    assert await read(kubeconfig(user)) == "root"


async def test_a_plugin_that_prints_a_token(read, kubeconfig, secure, tmp_path):
    secure.authorization = "Bearer printed"
    user = plugin(
        tmp_path,
        {"token": "printed"},
        env=[{"name": "X", "value": "said"}],
        provideClusterInfo=True,
    )

    assert await read(kubeconfig(user)) == "root"
    told = (tmp_path / "told").read_text()
    assert told.endswith("said")
    cluster = json.loads(told.removesuffix("said"))["spec"]["cluster"]
    assert cluster["server"] == secure.url
    assert base64.b64decode(cluster["certificate-authority-data"]).startswith(b"-----BEGIN")


async def test_a_plugin_is_asked_again_when_its_token_is_refused(
    read, kubeconfig, secure, tmp_path
):
    secure.authorization = "Bearer second"

    assert await read(kubeconfig(plugin(tmp_path, {"token": "first"}, {"token": "second"})))


async def test_a_plugin_is_asked_again_before_its_token_expires(read, kubeconfig, secure, tmp_path):
    secure.authorization = "Bearer second"
    first = {"token": "first", "expirationTimestamp": in_s(10)}
    second = {"token": "second", "expirationTimestamp": in_s(3600)}

    assert await read(kubeconfig(plugin(tmp_path, second)))
    connection = connect(kubeconfig(plugin(tmp_path, first, second)))
    assert await connection._credentials.authorization() == "Bearer first"
    assert await connection._credentials.authorization() == "Bearer second"
    assert await connection._credentials.authorization() == "Bearer second"
    assert (tmp_path / "printed").read_text().count("second") == 1


async def test_a_plugin_that_prints_a_certificate(read, kubeconfig, secure, authority, tmp_path):
    secure.certificate = True
    pair = authority.issue_cert("ann@example")
    status = {
        "clientCertificateData": pair.cert_chain_pems[0].bytes().decode(),
        "clientKeyData": pair.private_key_pem.bytes().decode(),
    }

    assert await read(kubeconfig(plugin(tmp_path, status))) == "root"


async def test_a_certificate_that_is_refused_is_replaced_on_new_connections(
    read, kubeconfig, secure, authority, tmp_path
):
    pairs = [authority.issue_cert(f"{name}@example") for name in ("old", "new")]
    secure.certificate = pairs[1].cert_chain_pems[0].bytes().decode()
    statuses = [
        {
            "clientCertificateData": pair.cert_chain_pems[0].bytes().decode(),
            "clientKeyData": pair.private_key_pem.bytes().decode(),
        }
        for pair in pairs
    ]

    assert await read(kubeconfig(plugin(tmp_path, *statuses))) == "root"


def jwt(name, expires_in_s):
    """An identity token; its signature is the API server's business."""
    parts = ({"alg": "none"}, {"sub": name, "exp": int(time.time() + expires_in_s)})
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts]
    return ".".join([*encoded, "sig"])


@pytest.fixture
async def issuer(authority, tmp_path):
    """An identity provider: a refresh token is good once, and brings the next one."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    app = web.Application()
    said = {"asked": [], "fresh": jwt("fresh", 3600)}

    async def found(request):
        return web.json_response({"token_endpoint": f"{said['url']}/token"})

    async def token(request):
        form = dict(await request.post())
        said["asked"].append((form, request.headers.get("Authorization")))
        if form["refresh_token"] != f"r{len(said['asked'])}":
            raise web.HTTPBadRequest
        following = f"r{len(said['asked']) + 1}"
        return web.json_response({"id_token": said["fresh"], "refresh_token": following})

    app.router.add_get("/.well-known/openid-configuration", found)
    app.router.add_post("/token", token)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    said["url"] = f"https://127.0.0.1:{runner.addresses[0][1]}"
    authority.cert_pem.write_to_path(str(tmp_path / "idp.pem"))
    yield said
    await runner.cleanup()


def oidc(issuer, token, **more):
    config = {
        "client-id": "kubernetes",
        "client-secret": "s3cret",
        "id-token": token,
        "refresh-token": "r1",
        "idp-issuer-url": issuer["url"],
        "idp-certificate-authority": "idp.pem",
        **more,
    }
    return {"auth-provider": {"name": "oidc", "config": config}}


async def test_an_identity_token_that_is_valid_is_used(read, kubeconfig, secure, issuer):
    token = jwt("ann", 3600)
    secure.authorization = f"Bearer {token}"

    assert await read(kubeconfig(oidc(issuer, token))) == "root"
    assert issuer["asked"] == []


@pytest.mark.parametrize("expires_in_s", [-10, 3600], ids=["expired", "refused"])
async def test_an_identity_token_is_refreshed_and_kept(
    read, kubeconfig, secure, issuer, tmp_path, expires_in_s
):
    secure.authorization = f"Bearer {issuer['fresh']}"
    path = kubeconfig(oidc(issuer, jwt("old", expires_in_s)))

    assert await read(path) == "root"
    form = {"grant_type": "refresh_token", "refresh_token": "r1"}
    secret = "Basic " + base64.b64encode(b"kubernetes:s3cret").decode()
    assert issuer["asked"] == [(form, secret)]
    kept = yaml.safe_load(tmp_path.joinpath("kubeconfig").read_text())["users"][0]["user"][
        "auth-provider"
    ]["config"]
    assert (kept["id-token"], kept["refresh-token"]) == (issuer["fresh"], "r2")
    assert kept["client-id"] == "kubernetes"


async def test_an_identity_provider_that_is_not_trusted_gets_no_secret(kubeconfig, secure, issuer):
    path = kubeconfig(oidc(issuer, jwt("old", -10), **{"idp-certificate-authority": ""}))
    with pytest.raises(Unavailable, match=r"identity provider https://.*certificate verify failed"):
        await connect(path)._credentials.authorization()

    assert issuer["asked"] == []


async def test_a_server_that_is_not_to_be_verified(read, kubeconfig, secure):
    assert await read(kubeconfig({}, **{"insecure-skip-tls-verify": True})) == "root"


async def test_a_server_whose_certificate_has_another_name(read, kubeconfig, secure, authority):
    pem = base64.b64encode(authority.cert_pem.bytes()).decode()
    named = {"certificate-authority-data": pem, "tls-server-name": "api.example"}
    assert await read(kubeconfig({}, **named)) == "root"

    client = KubeClient(connect(kubeconfig({}, **{**named, "tls-server-name": "b.example"})), "t")
    with pytest.raises(Unavailable, match=r"b\.example"):
        await client._once("GET", QUEUES.path(), None, None, None)
    await client.close()


async def test_a_server_that_is_not_trusted_is_not_spoken_to(kubeconfig, secure, until, background):
    connection = connect(kubeconfig({"token": "abc"}, **{"certificate-authority-data": ""}))
    client = KubeClient(connection, "test")
    with pytest.raises(Unavailable, match="certificate verify failed"):
        await client._once("GET", QUEUES.path(), None, None, None)
    await client.close()
    background(KopfWatch(connection, QUEUES, lambda *_: None, lambda: None).run())
    await asyncio.sleep(0.3)

    assert secure.requests == []


async def test_a_pods_token_which_rotates(read, secure, authority, tmp_path, monkeypatch):
    monkeypatch.setattr(connection_module, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", secure.url.rpartition(":")[2])
    (tmp_path / "namespace").write_text("kubeyarn-system")
    (tmp_path / "ca.crt").write_bytes(authority.cert_pem.bytes())
    for token in ("first", "second"):
        (tmp_path / "token").write_text(token)
        secure.authorization = f"Bearer {token}"
        assert await read(None) == "root"

    client = KubeClient(connect(), "test")
    secure.authorization = "Bearer third"
    with pytest.raises(Refused):
        await client.get(QUEUES, "root")
    (tmp_path / "token").write_text("third")
    assert await client.get(QUEUES, "root")
    await client.close()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"command": "./absent", "installHint": "get it at x"}, "cannot be run: .*; get it at x"),
        ({"command": "false"}, "ended with status 1"),
        ({"command": "echo"}, "printed no ExecCredential"),
        ({"command": "echo", "args": ['{"apiVersion": "v9", "status": {}}']}, "apiVersion 'v9'"),
        (
            {
                "command": "echo",
                "args": ['{"apiVersion": "client.authentication.k8s.io/v1", "status": {}}'],
            },
            "neither status.token nor",
        ),
    ],
    ids=["absent", "fails", "silent", "version", "empty"],
)
async def test_a_plugin_that_brings_nothing_says_why(kubeconfig, secure, tmp_path, more, why):
    path = kubeconfig(plugin(tmp_path, {}, **more))
    with pytest.raises(Unavailable, match=f"credential plugin .*{why}"):
        await connect(path)._credentials.authorization()


@pytest.mark.parametrize(
    ("user", "cluster", "why"),
    [
        ({"auth-provider": {"name": "gcp"}}, {}, "name is 'gcp', allowed: oidc"),
        ({"exec": {"apiVersion": "v0", "command": "x"}}, {}, "apiVersion is 'v0', allowed"),
        ({"exec": {"apiVersion": "client.authentication.k8s.io/v1"}}, {}, "command is missing"),
        ({"token": 7}, {}, "token is 7, expected a string"),
        ({"client-certificate-data": "QQ=="}, {}, "found one of them, needed: both"),
        ({"client-certificate-data": "?"}, {}, "client-certificate:"),
        ({"as-groups": ["x"]}, {}, "as-groups"),
        ({}, {"certificate-authority-data": "QQ=="}, "certificates and keys"),
        ({}, {"certificate-authority": "absent.pem"}, "absent.pem"),
        ({}, {"server": "ftp://x"}, "server is 'ftp://x', expected a URL"),
    ],
)
async def test_what_a_kubeconfig_cannot_mean_is_refused(kubeconfig, user, cluster, why):
    with pytest.raises(SpecError, match=why) as caught:
        connect(kubeconfig(user, **cluster))
    assert "kubeconfig /" in str(caught.value)


async def test_files_of_kubeconfigs_are_merged_and_the_first_one_wins(tmp_path, monkeypatch):
    first = {
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "a"}}],
        "users": [{"name": "u", "user": {"token": "first"}}],
    }
    second = {
        "current-context": "x",
        "clusters": [{"name": "c", "cluster": {"server": "http://one/", "proxy-url": "http://p"}}],
        "users": [{"name": "u", "user": {"token": "second"}}],
    }
    (tmp_path / "1").write_text(yaml.safe_dump(first))
    (tmp_path / "2").write_text(yaml.safe_dump(second))
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/1:{tmp_path}/absent:{tmp_path}/2")
    found = connect()

    assert (found.server, found.namespace) == ("http://one", "a")
    assert await found._credentials.authorization() == "Bearer first"
    with pytest.raises(SpecError, match=r"found no context 'y', there are: x"):
        connect(context="y")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/absent")
    with pytest.raises(SpecError, match="no such file; set KUBECONFIG or --kubeconfig"):
        connect()

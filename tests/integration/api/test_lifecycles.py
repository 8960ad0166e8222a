"""Decision files over HTTP: linted, uploaded, given back byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.lifecycle.tables import DecisionFile, importing, unique_table

if TYPE_CHECKING:
    import httpx

    from tests.integration.api.serving import Served

IN_DEFAULT = {"group": "default"}


def sent(client: httpx.Client, path: str, xml: bytes) -> httpx.Response:
    return client.post(
        path, content=xml, params=IN_DEFAULT, headers={"Content-Type": "application/xml"}
    )


def test_a_file_comes_back_byte_by_byte(client: httpx.Client) -> None:
    xml = DecisionFile(namespace="words", decisions={"word": '"Müller"'}, encoding="ISO-8859-1").xml

    uploaded = sent(client, "/lifecycles", xml)
    downloaded = client.get("/lifecycles/word@1/xml")

    assert (uploaded.status_code, downloaded.content) == (201, xml)
    assert uploaded.json()["decisions"] == ["word"]


def test_what_a_file_imports_is_shown_with_its_version(client: httpx.Client) -> None:
    library = DecisionFile(namespace="lib", id="lib", functions={"double": "x * 2"}).xml
    user = importing("user", "lib.double(21)", namespace="lib")
    refused = sent(client, "/lifecycles", user)
    sent(client, "/lifecycles", library)

    uploaded = sent(client, "/lifecycles", user)

    assert (refused.status_code, refused.json()["code"]) == (422, "dmn-rejected")
    assert uploaded.json()["imports"] == {"lib": "lib@1"}


def test_a_decision_of_another_file_is_a_conflict(client: httpx.Client) -> None:
    sent(client, "/lifecycles", DecisionFile(namespace="a", decisions={"mine": "1"}).xml)
    other = DecisionFile(namespace="b", decisions={"first": "1", "mine": "2"}).xml

    answer = sent(client, "/lifecycles", other)

    assert (answer.status_code, answer.json()["code"]) == (409, "decision-taken")
    assert answer.json()["fields"]["decisions"] == ["mine"]


def test_lint_tells_a_contradiction_with_an_example(served: Served) -> None:
    xml = unique_table("size", ("&lt;= 5", '"small"'), ("&gt;= 5", '"big"'))

    with served.client() as client:
        [finding] = sent(client, "/lifecycles/lint", xml).json()

    assert (finding["severity"], finding["rules"]) == ("error", [1, 2])
    assert "5" in finding["example"]

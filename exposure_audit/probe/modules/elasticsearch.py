"""Elasticsearch and OpenSearch: are the statistics of the cluster told without a credential?

`GET /` alone proves little: an anonymous role or a proxy may show only that.
https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-cluster-stats
"""

from exposure_audit.model.observation import Access, Facts, Verdict
from exposure_audit.probe.codec.http1 import Reply, fetch, follow, unlike
from exposure_audit.probe.contract import Conversation, Peer, Probe

_STATS = (
    "/_cluster/stats?filter_path=cluster_name,nodes.count.total,nodes.versions,"
    "indices.count,indices.docs.count,indices.store.size_in_bytes"
)
_TAGLINES = {
    "You Know, for Search": "Elasticsearch",
    "The OpenSearch Project: https://opensearch.org/": "OpenSearch",
}
_REALMS = {"OpenSearch Security": "OpenSearch", "Open Distro Security": "OpenSearch", "security": "Elasticsearch"}
# The cluster has no master or is recovering: said by the node itself, after any check of rights.
_UNREADY = {"master_not_discovered_exception", "cluster_block_exception"}


def _at(value: object, *path: str) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _reason(reply: Reply) -> str:
    """The reason of a `security_exception`; empty when it is none."""
    answer = reply.json()
    return _text(_at(answer, "error", "reason")) if _at(answer, "error", "type") == "security_exception" else ""


def _facts(reply: Reply, verdict: Verdict, product: str) -> Facts:
    return Facts(service="elasticsearch", product=product, verdict=verdict, evidence=reply.evidence())


def _refused(reply: Reply) -> Facts:
    """Judge a first reply that is not the page of a node. Raises NotThis when nothing in it names the service."""
    challenge = reply.headers.get("www-authenticate", "")
    product = next((name for realm, name in _REALMS.items() if f'realm="{realm}"' in challenge), "")
    reason = _reason(reply)
    if reply.status == 401 and product and (reason or reply.body.strip() == b"Unauthorized"):
        return _facts(reply, "auth-required", product)
    if reply.status == 403 and " is unauthorized for user [" in reason:
        return _facts(reply, "limited", "Elasticsearch")
    if reply.status == 403 and reason.startswith("no permissions for ["):
        return _facts(reply, "limited", "OpenSearch")
    if reply.status == 503 and reply.body.startswith(b"OpenSearch Security not initialized"):
        # Recognised, and nothing decided: it refuses everybody until an operator sets it up from inside.
        return _facts(reply, "unidentified", "OpenSearch")
    raise unlike(reply, "neither the page nor a refusal of Elasticsearch or OpenSearch")


def _counts(stats: object) -> dict[str, str | int | bool]:
    places = {
        "nodes": ("nodes", "count", "total"),
        "indices": ("indices", "count"),
        "documents": ("indices", "docs", "count"),
        "bytes": ("indices", "store", "size_in_bytes"),
    }
    found = {name: _at(stats, *path) for name, path in places.items()}
    return {name: value for name, value in found.items() if type(value) is int}


def _grade(reply: Reply, stats: object) -> tuple[Verdict, Access]:
    if (
        reply.status == 200
        and _text(_at(stats, "cluster_name"))
        and type(_at(stats, "nodes", "count", "total")) is int
    ):
        return "unauthenticated", "metadata"
    if reply.status == 503 and _at(stats, "error", "type") in _UNREADY:
        return "unauthenticated", "none"
    return ("limited", "metadata") if reply.status == 403 and _reason(reply) else ("public-info", "none")


def _converse(peer: Peer) -> Conversation:
    reply = yield from fetch(peer, "/")
    page = reply.json()
    product = _TAGLINES.get(_text(_at(page, "tagline")), "")
    version = _text(_at(page, "version", "number"))
    if reply.status not in {200, 503} or not product or not version:
        return _refused(reply)
    if _at(page, "version", "distribution") == "opensearch":
        product = "OpenSearch"  # In compatibility mode it states 7.10.2.
    second = yield from follow(peer, _STATS, after=reply)
    stats = second.json()
    verdict, access = _grade(second, stats)
    details: dict[str, str | int | bool] = {"cluster_name": _text(_at(page, "cluster_name")), **_counts(stats)}
    return Facts(
        service="elasticsearch",
        product=product,
        version=version,
        verdict=verdict,
        access=access,
        evidence=(second if second.status else reply).evidence(200),
        details=details,
    )


PROBE = Probe(
    name="elasticsearch",
    service="elasticsearch",
    title="Elasticsearch or OpenSearch",
    transport="tcp",
    ports=(9200,),
    tls_ports=(9200,),
    family="http",
    safety="read-metadata",
    sends=("GET /", "GET /_cluster/stats, counts only"),
    never="searches, names indices, reads documents",
    details={"cluster_name": str, "nodes": int, "indices": int, "documents": int, "bytes": int},
    converse=_converse,
)

"""A provider `hashicorp/aws` for Terraform that validates and plans by the real one's schema, and reaches no AWS.

Terraform takes it by TF_REATTACH_PROVIDERS, as it does a provider under a debugger: nothing is downloaded.

Source: hashicorp/terraform, docs/plugin-protocol, version 5; hashicorp/go-plugin.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.newcomer import tool, variables
from tests.support.archives import folder, node_package
from tests.support.terraform_schema import schema

BINDINGS = node_package(
    "@cdktn/provider-aws@24.1.0", "6011fbc46969a666e523c9a4714ccd2650bd04c3a5e8013e4f26ec2889b5076a"
)
"""Of the provider's version 6.45.0."""

PROTOCOL = """
syntax = "proto3";
package tfplugin5;
message Value { bytes msgpack = 1; bytes json = 2; }
message Attribute { string name = 1; bytes type = 2; bool required = 4; bool optional = 5; bool computed = 6; }
message NestedBlock {
    string type_name = 1; Block block = 2; int32 nesting = 3; int64 min_items = 4; int64 max_items = 5;
}
message Block { repeated Attribute attributes = 2; repeated NestedBlock block_types = 3; }
message Schema { Block block = 2; }
message Schemas {
    Schema provider = 1; map<string, Schema> resource_schemas = 2; map<string, Schema> data_source_schemas = 3;
}
message Nothing {}
message Config { Value config = 1; }
message Typed { string type_name = 1; Value config = 2; }
message Change { string type_name = 1; Value prior = 2; Value proposed = 3; Value config = 4; }
message Planned { Value planned = 1; bool legacy_type_system = 5; }
"""

SERVER = """
import json, sys
from concurrent import futures
from pathlib import Path
import grpc, msgpack

here, known = Path(sys.argv[1]), json.loads(Path(sys.argv[1], "schemas.json").read_text())
sys.path.insert(0, str(here))
p = grpc.protos("protocol.proto")
NESTING = {"SINGLE": 1, "LIST": 2, "SET": 3, "MAP": 4}
UNKNOWN = msgpack.ExtType(0, b"")

def block(own):
    attributes = [p.Attribute(**{**each, "type": json.dumps(each["type"]).encode()}) for each in own["attributes"]]
    blocks = [
        p.NestedBlock(**{**each, "block": block(each["block"]), "nesting": NESTING[each["nesting"]]})
        for each in own["block_types"]
    ]
    return p.Block(attributes=attributes, block_types=blocks)

def schemas(_, context):
    made = {name: p.Schema(block=block(own)) for name, own in known.items()}
    region = {"attributes": [{"name": "region", "type": "string", "optional": True}], "block_types": []}
    return p.Schemas(
        provider=p.Schema(block=block(region)),
        resource_schemas={name: own for name, own in made.items() if not name.startswith("data.")},
        data_source_schemas={name[5:]: own for name, own in made.items() if name.startswith("data.")},
    )

def filled(name, value, unset):
    "What AWS decides upon, as what it is not yet known to be."
    own = msgpack.unpackb(value, raw=False)
    for each in known[name]["attributes"] if own else []:
        if own[each["name"]] is None and (each.get("computed") or each["name"] == "id"):
            own[each["name"]] = unset
    return p.Value(msgpack=msgpack.packb(own))

def plan(asked, context):
    return p.Planned(planned=filled(asked.type_name, asked.proposed.msgpack, UNKNOWN), legacy_type_system=True)

def read(asked, context):
    return p.Config(config=filled("data." + asked.type_name, asked.config.msgpack, "123456789012"))

METHODS = {
    "GetSchema": (p.Nothing, schemas),
    "PrepareProviderConfig": (p.Config, lambda asked, context: p.Config(config=asked.config)),
    "ValidateResourceTypeConfig": (p.Typed, lambda asked, context: p.Nothing()),
    "ValidateDataSourceConfig": (p.Typed, lambda asked, context: p.Nothing()),
    "Configure": (p.Nothing, lambda asked, context: p.Nothing()),
    "PlanResourceChange": (p.Change, plan),
    "ReadDataSource": (p.Typed, read),
    "Stop": (p.Nothing, lambda asked, context: p.Nothing()),
}
handlers = {
    name: grpc.unary_unary_rpc_method_handler(
        function, request_deserializer=asked.FromString, response_serializer=lambda made: made.SerializeToString()
    )
    for name, (asked, function) in METHODS.items()
}
server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tfplugin5.Provider", handlers),))
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.read()  # until whoever started it closes it
"""


@contextmanager
def provider(where: Path, names: Iterable[str]) -> Iterator[dict[str, str]]:
    """It, with resources and data sources of these names: the variables that Terraform has to see."""
    library = folder(BINDINGS, "package/lib")
    (where / "schemas.json").write_text(json.dumps({name: schema(library, name) for name in names}), "utf-8")
    (where / "protocol.proto").write_text(PROTOCOL, "utf-8")
    python = tool("grpcio-tools").with_name("python")
    site = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    seen = variables(where, PYTHONPATH=str(tool("msgpack").parents[1] / site))
    with subprocess.Popen(
        [python, "-c", SERVER, where], env=seen, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            port = process.stdout.readline().strip()
            assert port, "it does not start"
            how = {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": process.pid, "Test": True}
            how["Addr"] = {"Network": "tcp", "String": f"127.0.0.1:{port}"}
            yield {"TF_REATTACH_PROVIDERS": json.dumps({"registry.terraform.io/hashicorp/aws": how})}
        finally:
            process.stdin.close()

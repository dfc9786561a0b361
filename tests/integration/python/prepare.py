"""Gives a fresh daemon the routes and the code system the clients need: prepare.py <json file of options>."""
import json
import subprocess
import sys
import tempfile

import grpc

options = json.load(open(sys.argv[1]))
with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["protoc", "-I" + options["proto_dirs"][0], "--python_out=" + folder, "idem/admin/v1/admin.proto",
                    "idem/terminology/v1/terminology.proto"], check=True)
    sys.path.insert(0, folder)
    from idem.admin.v1 import admin_pb2 as admin
    from idem.terminology.v1 import terminology_pb2 as terminology


def read(file):
    return open(file, "rb").read()


channel = grpc.secure_channel(options["address"], grpc.ssl_channel_credentials(
    read(options["ca"]), read(options["client_key"]), read(options["client_cert"])))
apply = channel.unary_unary("/idem.admin.v1.Admin/ApplyRoutes", admin.ApplyRoutesRequest.SerializeToString,
                            admin.ApplyRoutesReply.FromString)
print("routes", apply(admin.ApplyRoutesRequest(text=options["routes"]), timeout=20).version)
load = channel.unary_stream("/idem.terminology.v1.Terminology/LoadRelease", terminology.LoadReleaseRequest.SerializeToString,
                            terminology.LoadReleaseEvent.FromString)
events = list(load(terminology.LoadReleaseRequest(path=options["codes"], activate=True), timeout=60))
print("codes", events[-1].release.system, events[-1].release.version)

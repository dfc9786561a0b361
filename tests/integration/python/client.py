"""What a Python client (Debian's python3-grpcio) sees of the daemon. Usage: client.py <json file of options>, written by ../run.py.

Prints one line per check; exit code 1 when one fails.
"""
import json
import subprocess
import sys
import tempfile

import grpc

options = json.load(open(sys.argv[1]))
generated = tempfile.TemporaryDirectory()
names = ["idem/identity/v1/identity", "idem/terminology/v1/terminology", "idem/routing/v1/routing", "idem/admin/v1/admin",
         "grpc/health/v1/health", "grpc/reflection/v1/reflection", "google/rpc/status"]
subprocess.run(["protoc", *["-I" + folder for folder in options["proto_dirs"]], "--python_out=" + generated.name,
                *[name + ".proto" for name in names]], check=True)


def module(name):
    """Loaded by file: the generated folder `grpc` must not hide the library of that name."""
    import importlib.util
    spec = importlib.util.spec_from_file_location(name.replace("/", "_"), generated.name + "/" + name + "_pb2.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


identity, terminology, routing, admin, health, reflection, rpc_status = [module(name) for name in names]
failed = 0


def check(name, run):
    global failed
    try:
        run()
        print("ok   python " + name)
    except Exception as error:  # every failure is told, and the next check still runs
        failed += 1
        print("FAIL python %s: %r" % (name, error))


def channel(who):
    def read(file):
        return open(file, "rb").read()
    return grpc.secure_channel(options["address"], grpc.ssl_channel_credentials(
        read(options["ca"]), read(options[who + "_key"]), read(options[who + "_cert"])))


def unary(at, path, request, reply_type, timeout=10):
    return at.unary_unary(path, lambda m: m if isinstance(m, bytes) else m.SerializeToString(), reply_type.FromString)(
        request, timeout=timeout)


def fails(code, run):
    try:
        run()
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error
    raise AssertionError("succeeded, want %s" % code)


def reason(error):
    """The name in google.rpc.ErrorInfo, and the promise that the sentence is the message."""
    details = [value for key, value in error.trailing_metadata() if key == "grpc-status-details-bin"][0]
    status = rpc_status.Status.FromString(details)
    info = rpc_status.ErrorInfo()
    assert status.details[0].Unpack(info) and status.message == error.details() and info.domain == "idem"
    return info.reason


def adt(number):
    return routing.SubmitRequest(source=options["source"], message=(
        "MSH|^~\\&|ADT|NORTH|IDEM|IDEM|20260101120000||ADT^A01^ADT_A01|%s|P|2.5.1\r"
        "EVN|A01|20260101120000\rPID|1||%s^^^NORTH^MR||Okafor^Ife||19770707|M\rPV1|1|I\r" % (number, number)).encode())


good = channel("client")
TERMINOLOGY = "/idem.terminology.v1.Terminology/"


def is_serving():
    assert unary(good, "/grpc.health.v1.Health/Check", health.HealthCheckRequest(), health.HealthCheckResponse).status == 1


def unknown_service():
    error = fails(grpc.StatusCode.NOT_FOUND, lambda: unary(
        good, "/grpc.health.v1.Health/Check", health.HealthCheckRequest(service="none"), health.HealthCheckResponse))
    assert reason(error) == "rpc.service-unknown"


def watch(timeout=None):
    return good.unary_stream("/grpc.health.v1.Health/Watch", health.HealthCheckRequest.SerializeToString,
                             health.HealthCheckResponse.FromString)(health.HealthCheckRequest(), timeout=timeout)


def watch_tells():
    stream = watch()
    assert next(stream).status == 1
    stream.cancel()


def watch_deadline():
    fails(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: list(watch(0.3)))


def lookup_unknown():
    error = fails(grpc.StatusCode.NOT_FOUND, lambda: unary(
        good, TERMINOLOGY + "Lookup", terminology.LookupRequest(system="urn:none", code="x"), terminology.LookupReply))
    assert reason(error) == "codes.system-unknown"


def lookup_known():
    reply = unary(good, TERMINOLOGY + "Lookup", terminology.LookupRequest(system="ICD-10-CM", code="E11.9"), terminology.LookupReply)
    assert reply.display == "Type 2 diabetes mellitus without complications" and reply.active and reply.billable, reply


def submit():
    reply = unary(good, "/idem.routing.v1.Routing/Submit", adt("P1"), routing.SubmitReply)
    assert reply.code == "AA" and reply.person and reply.ack, reply
    assert unary(good, "/idem.routing.v1.Routing/Submit", adt("P1"), routing.SubmitReply).duplicate


def identify():
    reply = unary(good, "/idem.identity.v1.Identity/Identify", identity.IdentifyRequest(
        identifiers=[identity.Identifier(authority="NORTH", value="P1", type="MR")]), identity.IdentifyReply)
    assert len(reply.matches) == 1 and reply.matches[0].by_identifier, reply


def stream():
    replies = list(good.stream_stream("/idem.routing.v1.Routing/SubmitStream", routing.SubmitRequest.SerializeToString,
                                      routing.SubmitReply.FromString)(adt("Q%d" % i) for i in range(200)))
    assert len(replies) == 200
    for i, reply in enumerate(replies):
        assert reply.code == "AA" and ("|Q%d" % i).encode() in reply.ack, reply


def malformed():
    for hostile, want in ((b"\x0b\x0b", "rpc.malformed"), (b"\x0a\x02\xff\xfe", "rpc.not-utf8"), (b"\x0a\x03a\0b", "rpc.nul-in-text")):
        error = fails(grpc.StatusCode.INVALID_ARGUMENT,
                      lambda: unary(good, TERMINOLOGY + "Lookup", hostile, terminology.LookupReply))
        assert reason(error) == want


def unknown_method():
    fails(grpc.StatusCode.UNIMPLEMENTED, lambda: unary(good, TERMINOLOGY + "Nope", b"", terminology.LookupReply))


def compressed():
    """A gzip bomb must not reach us: compression is off."""
    fails(grpc.StatusCode.UNIMPLEMENTED, lambda: good.unary_unary(
        TERMINOLOGY + "Lookup", terminology.LookupRequest.SerializeToString, terminology.LookupReply.FromString)(
            terminology.LookupRequest(system="x" * 3000, code="x"), timeout=10, compression=grpc.Compression.Gzip))


def reflects():
    answers = good.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                                 reflection.ServerReflectionRequest.SerializeToString,
                                 reflection.ServerReflectionResponse.FromString)(iter([
                                     reflection.ServerReflectionRequest(list_services="*"),
                                     reflection.ServerReflectionRequest(file_containing_symbol="idem.admin.v1.Admin")]))
    services, file = list(answers)
    assert "idem.identity.v1.Identity" in [service.name for service in services.list_services_response.service]
    from google.protobuf import descriptor_pb2
    assert descriptor_pb2.FileDescriptorProto.FromString(
        file.file_descriptor_response.file_descriptor_proto[0]).package == "idem.admin.v1"


def impostor():
    fails(grpc.StatusCode.UNAVAILABLE, lambda: unary(
        channel("impostor"), "/grpc.health.v1.Health/Check", health.HealthCheckRequest(), health.HealthCheckResponse, 5))


def stranger():
    error = fails(grpc.StatusCode.PERMISSION_DENIED, lambda: unary(
        channel("stranger"), TERMINOLOGY + "Lookup", terminology.LookupRequest(system="a", code="b"), terminology.LookupReply))
    assert reason(error) == "rpc.no-role"


check("health check", is_serving)
check("health of an unknown service", unknown_service)
check("health watch", watch_tells)
check("a deadline ends a watch", watch_deadline)
check("lookup of an unknown system is NOT_FOUND with its reason", lookup_unknown)
check("lookup of a code", lookup_known)
check("submit is answered AA, and again as a duplicate", submit)
check("identify finds the person submitted", identify)
check("submit stream answers in order", stream)
check("malformed requests are INVALID_ARGUMENT", malformed)
check("an unknown method is UNIMPLEMENTED", unknown_method)
check("compressed requests are refused", compressed)
check("reflection", reflects)
check("a certificate of another CA is refused", impostor)
check("a certificate without a role is denied", stranger)
sys.exit(1 if failed else 0)

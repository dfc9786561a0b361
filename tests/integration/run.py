#!/usr/bin/python3
"""Starts a daemon in a scratch folder and lets the Node and the Python client at it.

run.py --idemd build/dev/idemd/idemd [--only node|python] [--node-folder DIR]
Or, against a daemon that runs already: run.py --options file.json (the file the clients read; see below).
The Node packages come by `npm ci` into --node-folder (and stay there for the next time) or the scratch folder, or from
$IDEM_NODE_MODULES.
Exit code: 0 good, 1 failed, 77 skipped (a tool is missing).
"""
import argparse
import filecmp
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(here))
SKIPPED = 77
LEASH = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []  # the daemon ends with us


def openssl(*words, cwd):
    subprocess.run(["openssl", *words], cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_ca(folder, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=" + name,
            "-keyout", name + ".key", "-out", name + ".pem", cwd=folder)


def issue(folder, ca, name):
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
            "-keyout", name + ".key", "-out", name + ".csr", cwd=folder)
    with open(os.path.join(folder, name + ".ext"), "w") as file:
        if name == "server":
            file.write("subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n")
        else:
            file.write("extendedKeyUsage=clientAuth\n")
    openssl("x509", "-req", "-in", name + ".csr", "-CA", ca + ".pem", "-CAkey", ca + ".key", "-CAcreateserial", "-days", "2",
            "-extfile", name + ".ext", "-out", name + ".pem", cwd=folder)


def free_port():
    with socket.socket() as at:
        at.bind(("127.0.0.1", 0))
        return at.getsockname()[1]


def routes(folder):
    return ("destinations:\n  - name: archive\n    file: { folder: %s/out }\n"
            "routes:\n  - name: adt\n    when: { source: [north], type: [ADT] }\n    to: [archive]\n" % folder)


def prepare(folder):
    """Certificates, configuration, and the options the clients read."""
    pki = os.path.join(folder, "pki")
    os.mkdir(pki)
    make_ca(pki, "ca")
    make_ca(pki, "other")
    for name in ("server", "client", "stranger"):
        issue(pki, "ca", name)
    issue(pki, "other", "impostor")
    for name in os.listdir(pki):
        os.chmod(os.path.join(pki, name), 0o600)
    address = "127.0.0.1:%d" % free_port()
    with open(os.path.join(folder, "idemd.yaml"), "w") as file:
        file.write("data: ./data\n"
                   "tls: { certificate: pki/server.pem, key: pki/server.key, clients_ca: pki/ca.pem }\n"
                   "grpc: { listen: \"%s\" }\n"
                   "roles:\n"
                   "  - { principal: client, roles: [reader, sender, operator, terminologist, steward] }\n" % address)
    options = {"address": address, "ca": pki + "/ca.pem", "source": "north", "routes": routes(folder), "codes": root + "/examples/codes/icd10cm",
               "proto_dirs": [root + "/rpc/proto", "/usr/share/grpc-proto", "/usr/include"]}
    for name in ("client", "stranger", "impostor"):
        options[name + "_cert"] = "%s/%s.pem" % (pki, name)
        options[name + "_key"] = "%s/%s.key" % (pki, name)
    return options


def wait_for(address, process):
    host, port = address.rsplit(":", 1)
    for _ in range(300):
        if process.poll() is not None:
            sys.exit("idemd ended with %d" % process.returncode)
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("idemd does not listen on " + address)


def run_python(options_file, *more):
    return subprocess.run(["/usr/bin/python3", here + "/python/client.py", options_file, *more]).returncode


def node_modules(place):
    """The packages that package-lock.json names, fetched once; None when they cannot be had."""
    lock = here + "/node/package-lock.json"
    done = os.path.join(place, "installed-lock.json") # what was installed last, whole
    if os.path.exists(done) and filecmp.cmp(lock, done, shallow=False):
        return os.path.join(place, "node_modules")
    os.makedirs(place, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(here, "node", name), place)
    if shutil.which("npm") is None or shutil.which("node") is None:
        return None
    try:
        # few tries: where there is no network this must end in seconds
        got = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent", "--fetch-retries=1", "--fetch-timeout=20000"],
                             cwd=place, timeout=120)
    except subprocess.TimeoutExpired:
        return None
    if got.returncode != 0:
        return None
    shutil.copy(lock, done)
    return os.path.join(place, "node_modules")


def run_node(options_file, place):
    modules = os.environ.get("IDEM_NODE_MODULES") or node_modules(place)
    if modules is None:
        print("skipped: the node client, npm cannot fetch its packages")
        return SKIPPED
    return subprocess.run(["node", here + "/node/client.js", options_file], env=dict(os.environ, NODE_MODULES=modules)).returncode


def give_what_clients_need(options_file):
    return subprocess.run(["/usr/bin/python3", here + "/python/prepare.py", options_file]).returncode


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--idemd")
    parser.add_argument("--options")
    parser.add_argument("--only", choices=["node", "python"])
    parser.add_argument("--node-folder")
    asked = parser.parse_args()
    if shutil.which("openssl") is None or shutil.which("protoc") is None:
        print("skipped: openssl or protoc is missing")
        return SKIPPED
    if subprocess.run(["/usr/bin/python3", "-c", "import grpc"], stderr=subprocess.DEVNULL).returncode != 0:
        print("skipped: python3-grpcio is missing")
        return SKIPPED
    folder = tempfile.mkdtemp(prefix="idem-integration-")
    process, failed, skipped = None, 0, False
    try:
        options_file = asked.options
        if options_file is None:
            options = prepare(folder)
            options_file = os.path.join(folder, "options.json")
            json.dump(options, open(options_file, "w"))
            process = subprocess.Popen([*LEASH, os.path.abspath(asked.idemd), "--config", folder + "/idemd.yaml"],
                                       stderr=open(folder + "/idemd.log", "w"))
            wait_for(options["address"], process)
            failed |= give_what_clients_need(options_file)
        if asked.only != "node":
            failed |= run_python(options_file)
        if asked.only != "python":
            code = run_node(options_file, os.path.abspath(asked.node_folder) if asked.node_folder else os.path.join(folder, "node"))
            skipped = code == SKIPPED
            failed |= 0 if skipped else code
        if process:
            process.send_signal(signal.SIGTERM)
            if process.wait(20) != 0:
                print("FAIL idemd ended with %d" % process.returncode)
                failed = 1
    finally:
        if process and process.poll() is None:
            process.kill()
        if failed and os.path.exists(folder + "/idemd.log"):
            sys.stdout.write(open(folder + "/idemd.log").read()[-4000:])
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else SKIPPED if skipped and asked.only == "node" else 0


sys.exit(main())

// What a Node client (@grpc/grpc-js) sees of the daemon. Usage: node client.js <json file of options>, written by ../run.py.
// Prints one line per check; exit code 1 when one fails.
'use strict';
const fs = require('fs');
const path = require('path');
const modules = process.env.NODE_MODULES;
const load = (name) => require(modules ? path.join(modules, name) : name);
const grpc = load('@grpc/grpc-js');
const loader = load('@grpc/proto-loader');

const options = JSON.parse(fs.readFileSync(process.argv[2]));
const definition = loader.loadSync(
  ['idem/identity/v1/identity.proto', 'idem/terminology/v1/terminology.proto', 'idem/routing/v1/routing.proto',
    'idem/admin/v1/admin.proto', 'grpc/health/v1/health.proto', 'grpc/reflection/v1/reflection.proto', 'google/rpc/status.proto'],
  { includeDirs: options.proto_dirs, keepCase: true, longs: String, enums: String, defaults: true });
const protos = grpc.loadPackageDefinition(definition);
const read = (file) => fs.readFileSync(file);
const credentials = (identity) =>
  grpc.credentials.createSsl(read(options.ca), read(options[identity + '_key']), read(options[identity + '_cert']));
const deadline = (ms) => new Date(Date.now() + ms);

let failed = 0;
async function check(name, run) {
  try {
    await run();
    console.log('ok   node ' + name);
  } catch (error) {
    failed++;
    console.log('FAIL node ' + name + ': ' + (error.stack || error));
  }
}
function equal(got, want) {
  if (got !== want) throw new Error('got ' + JSON.stringify(got) + ', want ' + JSON.stringify(want));
}
const call = (client, method, request, ms = 10000) => new Promise((resolve, reject) =>
  client[method](request, { deadline: deadline(ms) }, (error, reply) => (error ? reject(error) : resolve(reply))));
async function fails(code, promise) {
  try {
    await promise;
  } catch (error) {
    if (error.code === undefined) throw error;
    equal(error.code, code);
    return error;
  }
  throw new Error('succeeded, want code ' + code);
}
function reasonOf(error) {
  const bytes = error.metadata.get('grpc-status-details-bin')[0];
  const status = definition['google.rpc.Status'];
  const info = definition['google.rpc.ErrorInfo'];
  // proto-loader gives descriptors only; the reason name is plain text inside the ErrorInfo
  if (!status || !info || !bytes) throw new Error('no details');
  const match = /[a-z]+\.[a-z0-9-]+(?=\x12\x04idem)/.exec(bytes.toString('latin1'));
  return match && match[0];
}
const adt = (id) => Buffer.from(
  'MSH|^~\\&|ADT|NORTH|IDEM|IDEM|20260101120000||ADT^A01^ADT_A01|' + id + '|P|2.5.1\r' +
  'EVN|A01|20260101120000\rPID|1||' + id + '^^^NORTH^MR||Ibarra^Noa||19850312|F\rPV1|1|I\r');

async function main() {
  const good = credentials('client');
  const terminology = new protos.idem.terminology.v1.Terminology(options.address, good);
  const identity = new protos.idem.identity.v1.Identity(options.address, good);
  const routing = new protos.idem.routing.v1.Routing(options.address, good);
  const health = new protos.grpc.health.v1.Health(options.address, good);
  const reflection = new protos.grpc.reflection.v1.ServerReflection(options.address, good);

  await check('health check', async () => equal((await call(health, 'Check', { service: '' })).status, 'SERVING'));
  await check('health watch', () => new Promise((resolve, reject) => {
    const stream = health.Watch({ service: 'idem.routing.v1.Routing' });
    stream.on('data', (reply) => { stream.cancel(); reply.status === 'SERVING' ? resolve() : reject(new Error(reply.status)); });
    stream.on('error', () => {});
  }));
  await check('lookup of an unknown system is NOT_FOUND with its reason', async () => {
    const error = await fails(grpc.status.NOT_FOUND, call(terminology, 'Lookup', { system: 'urn:none', code: 'x' }));
    equal(reasonOf(error), 'codes.system-unknown');
  });
  await check('lookup of a code', async () => {
    const reply = await call(terminology, 'Lookup', { system: 'ICD-10-CM', code: 'E11.9' });
    equal(reply.display, 'Type 2 diabetes mellitus without complications');
    equal(reply.billable, true);
  });
  await check('submit is answered AA', async () => {
    const reply = await call(routing, 'Submit', { source: options.source, message: adt('N1') });
    equal(reply.code, 'AA');
    if (reply.person === '0' || reply.ack.length === 0) throw new Error('no person or no acknowledgement');
  });
  await check('the same message again is a duplicate', async () =>
    equal((await call(routing, 'Submit', { source: options.source, message: adt('N1') })).duplicate, true));
  await check('identify finds the person submitted', async () => {
    const reply = await call(identity, 'Identify', { identifiers: [{ authority: 'NORTH', value: 'N1', type: 'MR' }] });
    if (reply.matches.length !== 1 || !reply.matches[0].by_identifier) throw new Error('not found');
  });
  await check('submit stream answers in order', () => new Promise((resolve, reject) => {
    const stream = routing.SubmitStream();
    const count = 200;
    let got = 0;
    stream.on('data', (reply) => {
      const ack = reply.ack.toString('latin1');
      if (!ack.includes('|S' + got + '\r') && !ack.includes('|S' + got + '|')) reject(new Error('out of order at ' + got + ': ' + reply.reason));
      got++;
    });
    stream.on('end', () => (got === count ? resolve() : reject(new Error(got + ' replies'))));
    stream.on('error', reject);
    for (let i = 0; i < count; i++) stream.write({ source: options.source, message: adt('S' + i) });
    stream.end();
  }));
  await check('a deadline ends a watch', () => new Promise((resolve, reject) => {
    const stream = health.Watch({ service: '' }, { deadline: deadline(300) });
    stream.on('data', () => {});
    stream.on('error', (error) => (error.code === grpc.status.DEADLINE_EXCEEDED ? resolve() : reject(error)));
  }));
  await check('an unknown method is UNIMPLEMENTED', async () => {
    await fails(grpc.status.UNIMPLEMENTED, new Promise((resolve, reject) => terminology.makeUnaryRequest(
      '/idem.terminology.v1.Terminology/Nope', (x) => x, (x) => x, Buffer.alloc(0), { deadline: deadline(5000) },
      (error, reply) => (error ? reject(error) : resolve(reply)))));
  });
  await check('a malformed request is INVALID_ARGUMENT', async () => {
    await fails(grpc.status.INVALID_ARGUMENT, new Promise((resolve, reject) => terminology.makeUnaryRequest(
      '/idem.terminology.v1.Terminology/Lookup', (x) => x, (x) => x, Buffer.from([0x0b, 0x0b]), { deadline: deadline(5000) },
      (error, reply) => (error ? reject(error) : resolve(reply)))));
  });
  await check('reflection lists the services', () => new Promise((resolve, reject) => {
    const stream = reflection.ServerReflectionInfo();
    stream.on('data', (reply) => {
      const names = reply.list_services_response.service.map((service) => service.name);
      stream.end();
      names.includes('idem.identity.v1.Identity') ? resolve() : reject(new Error(names.join()));
    });
    stream.on('error', reject);
    stream.write({ list_services: '*' });
  }));
  await check('a certificate of another CA is refused', async () => {
    const client = new protos.grpc.health.v1.Health(options.address, credentials('impostor'));
    await fails(grpc.status.UNAVAILABLE, call(client, 'Check', { service: '' }, 5000));
    client.close();
  });
  await check('a certificate without a role is denied', async () => {
    const client = new protos.idem.terminology.v1.Terminology(options.address, credentials('stranger'));
    equal(reasonOf(await fails(grpc.status.PERMISSION_DENIED, call(client, 'Lookup', { system: 'a', code: 'b' }))), 'rpc.no-role');
    client.close();
  });
  for (const client of [terminology, identity, routing, health, reflection]) client.close();
  process.exit(failed ? 1 : 0);
}
main();

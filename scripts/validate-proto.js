// Writes buf/validate/validate.proto for buf, which reads sources only, from the descriptor in the pinned npm package
// @bufbuild/protovalidate: no schema registry and no copy of the file here. Comments and the options that carry the
// rules' own meaning are left out: gen/ imports the package's descriptor, which has them (buf.gen.yaml).
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';
import { file_buf_validate_validate as file } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

/** The source of a file that has no nested types, groups or default values, as FileDescriptorProto describes it. */
export function printProto({ syntax, package: name, dependency, messageType, enumType, extension }) {
  return [
    `syntax = "${syntax === '' ? 'proto2' : syntax}";`,
    `package ${name};`,
    ...dependency.map((path) => `import "${path}";`),
    ...extension.map((field) => block(`extend ${field.extendee}`, [printField(field)])),
    ...messageType.map(printMessage),
    ...enumType.map(printEnum),
    '',
  ].join('\n');
}

function printMessage({ name, field, oneofDecl, reservedName, reservedRange, extensionRange }) {
  const range = ({ start, end }) => `${start} to ${end === 0x20000000 ? 'max' : end - 1}`;
  const inOneof = (each, index) => each.oneofIndex === index && Object.hasOwn(each, 'oneofIndex');
  return block(`message ${name}`, [
    ...field.filter((each) => !Object.hasOwn(each, 'oneofIndex')).map(printField),
    ...oneofDecl.map((oneof, index) =>
      block(`oneof ${oneof.name}`, field.filter((each) => inOneof(each, index)).map(printOneofField)),
    ),
    ...reservedName.map((reserved) => `reserved "${reserved}";`),
    ...reservedRange.map((reserved) => `reserved ${range(reserved)};`),
    ...extensionRange.map((extensions) => `extensions ${range(extensions)};`),
  ]);
}

function printEnum({ name, value, reservedName, reservedRange }) {
  return block(`enum ${name}`, [
    ...value.map((each) => `${each.name} = ${each.number};`),
    ...reservedName.map((reserved) => `reserved "${reserved}";`),
    ...reservedRange.map(({ start, end }) => `reserved ${start} to ${end};`),
  ]);
}

function printField(field) {
  return `${Label[field.label].toLowerCase()} ${printOneofField(field)}`;
}

function printOneofField({ name, number, type, typeName }) {
  return `${typeName || Type[type].toLowerCase()} ${name} = ${number};`;
}

function block(head, lines) {
  return [`${head} {`, ...lines, '}'].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , root = '.'] = process.argv;
  const path = join(root, 'node_modules', '.protos', file.proto.name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, printProto(file.proto));
}

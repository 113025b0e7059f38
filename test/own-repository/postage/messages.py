"""The messages of the project's protos, by the descriptors that `buf build` writes."""

from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

pool = descriptor_pool.DescriptorPool()
for file in descriptor_pb2.FileDescriptorSet.FromString(Path("/app/protos.binpb").read_bytes()).file:
    pool.Add(file)


def method(service, name):
    """The path of a method, and the classes of its two messages."""
    found = pool.FindServiceByName(service).FindMethodByName(name)
    return (
        f"/{service}/{name}",
        message_factory.GetMessageClass(found.input_type),
        message_factory.GetMessageClass(found.output_type),
    )

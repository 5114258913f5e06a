"""Checks of what a gateway serves: health, reflection, and the whole contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Final

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodDescriptorProto
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from counterfoil.conformance.bench import CALL_S, Bench, answered, whole
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.verdicts import require
from counterfoil.desk.v1 import desk_pb2
from counterfoil.exchange.v1 import exchange_pb2
from counterfoil.keeping.v1 import audit_pb2
from counterfoil.registry.v1 import registry_pb2

SERVICES: Final[tuple[ServiceDescriptor, ...]] = (
    desk_pb2.DESCRIPTOR.services_by_name["DeskService"],
    exchange_pb2.DESCRIPTOR.services_by_name["ExchangeService"],
    registry_pb2.DESCRIPTOR.services_by_name["RegistryService"],
    audit_pb2.DESCRIPTOR.services_by_name["AuditService"],
)
"""What every gateway serves."""
_Request = reflection_pb2.ServerReflectionRequest
_Response = reflection_pb2.ServerReflectionResponse


@check(
    201,
    "The standard health service says SERVING, of all and of each service.",
    "标准健康检查服务对整体和每项服务均答 SERVING。",
    clause="hubei-7",
    contract="grpc.health.v1.Health.Check",
)
async def _is_healthy(bench: Bench) -> None:
    serving = health_pb2.HealthCheckResponse.SERVING
    async with bench.channel(bench.target.gateway.access.credentials()) as channel:
        ask: grpc.aio.UnaryUnaryMultiCallable[
            health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse
        ] = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        for name in ("", *(one.full_name for one in SERVICES)):
            asked = health_pb2.HealthCheckRequest(service=name)
            answer = await answered(ask(asked, timeout=CALL_S))
            require(answer.status == serving, f"{name or 'the whole'} is not SERVING")


@check(
    202,
    "The standard reflection service names every service of the contract.",
    "标准反射服务列出契约的每项服务。",
    clause="hubei-7",
    contract="grpc.reflection.v1alpha.ServerReflection",
)
async def _names_its_services(bench: Bench) -> None:
    (answer,) = await _reflected(bench, [_Request(list_services="*")])
    named = {one.name for one in answer.list_services_response.service}
    missing = sorted({one.full_name for one in SERVICES} - named)
    require(not missing, f"not named: {', '.join(missing)}")


@check(
    203,
    "Every method of the contract is there, with its messages and streams.",
    "契约的每个方法齐全，报文和流式方式一致。",
    clause="hubei-15a",
    contract="desk.v1, exchange.v1, registry.v1, keeping.v1",
)
async def _has_every_method(bench: Bench) -> None:
    asked = [_Request(file_containing_symbol=one.full_name) for one in SERVICES]
    answers = await _reflected(bench, asked)
    for service, answer in zip(SERVICES, answers, strict=True):
        theirs = _methods(service, answer)
        for method in _own_methods(service):
            require(
                method.SerializeToString() in theirs,
                f"{service.name}.{method.name} is missing or another",
            )


CHECKS: Final[tuple[Check, ...]] = (_is_healthy, _names_its_services, _has_every_method)


async def _reflected(bench: Bench, asked: list[_Request]) -> list[_Response]:
    async with bench.channel(bench.target.gateway.access.credentials()) as channel:
        ask: grpc.aio.StreamStreamMultiCallable[_Request, _Response] = (
            channel.stream_stream(
                "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                request_serializer=_Request.SerializeToString,
                response_deserializer=_Response.FromString,
            )
        )
        call = ask(_each(asked), timeout=CALL_S)
        answers = [whole(answer) async for answer in call]
    require(len(answers) == len(asked), "reflection left a question unanswered")
    return answers


def _methods(service: ServiceDescriptor, answer: _Response) -> set[bytes]:
    """Return a service's methods as an answer tells them."""
    return {
        _plain(method).SerializeToString()
        for encoded in answer.file_descriptor_response.file_descriptor_proto
        for file in [FileDescriptorProto.FromString(encoded)]
        for one in file.service
        if f"{file.package}.{one.name}" == service.full_name
        for method in one.method
    }


def _own_methods(service: ServiceDescriptor) -> list[MethodDescriptorProto]:
    """Return a service's methods as the contract has them."""
    file = FileDescriptorProto()
    service.file.CopyToProto(file)
    return [
        _plain(method)
        for one in file.service
        if one.name == service.name
        for method in one.method
    ]


def _plain(method: MethodDescriptorProto) -> MethodDescriptorProto:
    """Return name, messages and streams only."""
    return MethodDescriptorProto(
        name=method.name,
        input_type=method.input_type,
        output_type=method.output_type,
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
    )


async def _each(asked: Iterable[_Request]) -> AsyncIterator[_Request]:
    for one in asked:
        yield one

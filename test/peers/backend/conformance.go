package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "meshwright.dev/test/peers/gen/conformance/v1"
)

var service = pb.File_conformance_v1_conformance_proto.Services().ByName("ConformanceService")

// conformance answers every method of conformance.v1.ConformanceService by its descriptor, as the proto's comments say.
func conformance(_ any, stream grpc.ServerStream) error {
	path, _ := grpc.MethodFromServerStream(stream)
	name, found := strings.CutPrefix(path, "/"+string(service.FullName())+"/")
	if !found {
		return status.Error(codes.Unimplemented, "unknown service")
	}
	method := service.Methods().ByName(protoreflect.Name(name))
	if method == nil {
		return status.Error(codes.Unimplemented, "unknown method")
	}
	echoMetadata(stream)
	switch name {
	case "Fail":
		return fail(stream)
	case "ServerStream", "ServerStreamBody":
		return serverStream(method, stream)
	case "ClientStream":
		return clientStream(stream)
	}
	for {
		request := &pb.EveryKind{}
		if err := stream.RecvMsg(request); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(answer(method, stream, request)); err != nil {
			return err
		}
		if !method.IsStreamingClient() {
			return nil
		}
	}
}

func answer(method protoreflect.MethodDescriptor, stream grpc.ServerStream, request *pb.EveryKind) proto.Message {
	if method.Output().Name() == "EveryKind" {
		return request
	}
	echo := &pb.EchoResponse{Method: string(method.Name()), Request: request}
	received, _ := metadata.FromIncomingContext(stream.Context())
	for name, values := range received {
		echo.Metadata = append(echo.Metadata, &pb.Metadata{Name: name, Values: values})
	}
	slices.SortFunc(echo.Metadata, func(a, b *pb.Metadata) int { return strings.Compare(a.Name, b.Name) })
	return echo
}

// echoMetadata answers with the metadata that the request asks for: as NAME what it has as echo-header-NAME, and as
// trailing NAME what it has as echo-trailer-NAME.
func echoMetadata(stream grpc.ServerStream) {
	received, _ := metadata.FromIncomingContext(stream.Context())
	for name, values := range received {
		if header, found := strings.CutPrefix(name, "echo-header-"); found {
			_ = stream.SetHeader(metadata.MD{header: values})
		}
		if trailer, found := strings.CutPrefix(name, "echo-trailer-"); found {
			stream.SetTrailer(metadata.MD{trailer: values})
		}
	}
}

func fail(stream grpc.ServerStream) error {
	request := &pb.FailRequest{}
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	if err := pause(stream.Context(), request.GetDelay()); err != nil {
		return err
	}
	if request.GetCode() == 0 {
		return stream.SendMsg(&pb.EchoResponse{Method: "Fail"})
	}
	return status.ErrorProto(&spb.Status{
		Code:    request.GetCode(),
		Message: request.GetMessage(),
		Details: request.GetDetails(),
	})
}

func serverStream(method protoreflect.MethodDescriptor, stream grpc.ServerStream) error {
	request := &pb.StreamRequest{}
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	for count := range int(request.GetCount()) {
		text := strconv.Itoa(count)
		text += strings.Repeat("x", max(0, int(request.GetSize())-len(text)))
		message := answer(method, stream, &pb.EveryKind{StringValue: text})
		if err := stream.SendMsg(message); err != nil {
			return err
		}
		if err := pause(stream.Context(), request.GetDelay()); err != nil {
			return err
		}
	}
	if request.GetCode() == 0 {
		return nil
	}
	return status.Error(codes.Code(request.GetCode()), "as asked for")
}

func clientStream(stream grpc.ServerStream) error {
	response := &pb.ClientStreamResponse{}
	for {
		request := &pb.EveryKind{}
		if err := stream.RecvMsg(request); errors.Is(err, io.EOF) {
			return stream.SendMsg(response)
		} else if err != nil {
			return err
		}
		response.Count++
		response.StringValues = append(response.StringValues, request.GetStringValue())
		response.Last = request
	}
}

func pause(ctx context.Context, delay *durationpb.Duration) error {
	if delay == nil {
		return nil
	}
	select {
	case <-time.After(delay.AsDuration()):
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// Command terraform-provider-latest is terrane/latest: a provider on the wire alone, for what HashiCorp's own libraries do
// not know yet or do not let a provider do. It serves protocol 6 as of 6.11, with go-plugin for the process and go-cty for
// values; messages are read and written field by field.
//
// Its objects are in the state only: a read answers what it was asked about.
package main

import (
	"context"
	"fmt"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

func main() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			MagicCookieKey:   "TF_PLUGIN_MAGIC_COOKIE",
			MagicCookieValue: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
		},
		VersionedPlugins: map[int]plugin.PluginSet{6: {"provider": service{}}},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options, grpc.ForceServerCodec(codec{}), grpc.UnknownServiceHandler(answer))...)
		},
	})
}

// service registers nothing: every call that go-plugin itself does not serve goes to `answer`.
type service struct {
	plugin.NetRPCUnsupportedPlugin
}

func (service) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }

func (service) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, fmt.Errorf("this is a provider, not a client of one")
}

// codec leaves our messages as they are; those of go-plugin's own services are protobuf as ever.
type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(value any) ([]byte, error) {
	switch value := value.(type) {
	case *[]byte:
		return *value, nil
	case proto.Message:
		return proto.Marshal(value)
	}
	return nil, fmt.Errorf("cannot send a %T", value)
}

func (codec) Unmarshal(data []byte, value any) error {
	switch value := value.(type) {
	case *[]byte:
		*value = append([]byte(nil), data...)
		return nil
	case proto.Message:
		return proto.Unmarshal(data, value)
	}
	return fmt.Errorf("cannot receive a %T", value)
}

func answer(_ any, stream grpc.ServerStream) error {
	path, _ := grpc.MethodFromServerStream(stream)
	method, ok := methods[path]
	if !ok {
		return status.Error(codes.Unimplemented, path)
	}
	var request []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	response, err := respond(method, request)
	if err != nil {
		return err
	}
	return stream.SendMsg(&response)
}

// respond lets a method answer; what it cannot do is an error of the call.
func respond(method func(fields) message, request []byte) (response []byte, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = status.Error(codes.Internal, fmt.Sprint(problem))
		}
	}()
	return method(parse(request)), nil
}

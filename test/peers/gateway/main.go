// Command gateway is grpc-gateway v2 as its documentation sets it up, for the conformance service and the shop. It
// prints "listening HOST:PORT" when it takes requests, and ends with its standard input.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"

	conformance "meshwright.dev/test/peers/gen/conformance/v1"
	catalog "meshwright.dev/test/peers/gen/test/catalog/v1"
	orders "meshwright.dev/test/peers/gen/test/orders/v1"

	// The types that details of errors are of.
	_ "google.golang.org/genproto/googleapis/rpc/errdetails"
)

func main() {
	address := flag.String("listen", "127.0.0.1:0", "host:port to listen on")
	backend := flag.String("backend", "", "host:port of the gRPC server")
	flag.Parse()
	mux := runtime.NewServeMux(
		// By google/api/http.proto and the JSON mapping of proto3 where grpc-gateway leaves the choice: %2F stays in
		// variables of several segments, unknown fields are refused, fields of implicit presence are written out.
		runtime.WithUnescapingMode(runtime.UnescapingModeAllExceptSlash),
		// Of metadata it takes no more than permanent header fields unless it is told to.
		runtime.WithIncomingHeaderMatcher(func(key string) (string, bool) {
			if name, found := strings.CutPrefix(key, runtime.MetadataHeaderPrefix); found {
				return name, true
			}
			return runtime.DefaultHeaderMatcher(key)
		}),
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &runtime.HTTPBodyMarshaler{Marshaler: &runtime.JSONPb{
			MarshalOptions:   protojson.MarshalOptions{EmitDefaultValues: true},
			UnmarshalOptions: protojson.UnmarshalOptions{DiscardUnknown: false},
		}}),
	)
	connection, err := grpc.NewClient(*backend, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	for _, register := range []func(context.Context, *runtime.ServeMux, *grpc.ClientConn) error{
		conformance.RegisterConformanceServiceHandler,
		catalog.RegisterCatalogServiceHandler,
		orders.RegisterOrdersServiceHandler,
	} {
		if err := register(ctx, mux, connection); err != nil {
			log.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println("listening", listener.Addr())
	log.Fatal(http.Serve(listener, mux))
}

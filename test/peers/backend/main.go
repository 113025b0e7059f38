// Command backend is what every gateway of a comparison calls: it echoes for the conformance service, and sells one
// product. It prints "listening HOST:PORT" when it takes calls, and ends with its standard input.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	catalog "meshwright.dev/test/peers/gen/test/catalog/v1"
	orders "meshwright.dev/test/peers/gen/test/orders/v1"
)

func main() {
	address := flag.String("listen", "127.0.0.1:0", "host:port to listen on")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(conformance))
	catalog.RegisterCatalogServiceServer(server, shop{})
	orders.RegisterOrdersServiceServer(server, orderDesk{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	fmt.Println("listening", listener.Addr())
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}

var (
	price = &catalog.Money{CurrencyCode: "EUR", MinorUnits: 4990}
	since = timestamppb.New(time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC))
)

type shop struct {
	catalog.UnimplementedCatalogServiceServer
}

func (shop) GetProduct(_ context.Context, request *catalog.GetProductRequest) (*catalog.GetProductResponse, error) {
	if request.GetId() == "none" {
		return nil, status.Error(codes.NotFound, "no such product")
	}
	return &catalog.GetProductResponse{Product: &catalog.Product{
		Id:          request.GetId(),
		Name:        "Desk lamp",
		Description: "A lamp with an arm, for desks up to 80 cm deep",
		Price:       price,
		Attributes:  map[string]string{"colour": "black", "socket": "E27", "width": "22 cm"},
		UpdateTime:  since,
	}}, nil
}

type orderDesk struct {
	orders.UnimplementedOrdersServiceServer
}

func (orderDesk) CreateOrder(_ context.Context, request *orders.CreateOrderRequest) (*orders.CreateOrderResponse, error) {
	total := &catalog.Money{CurrencyCode: price.CurrencyCode, MinorUnits: price.MinorUnits * int64(request.GetQuantity())}
	return &orders.CreateOrderResponse{Order: &orders.Order{
		Id:            "order-1",
		ProductId:     request.GetProductId(),
		Quantity:      request.GetQuantity(),
		Total:         total,
		ReservationId: "reservation-1",
		CreateTime:    since,
	}}, nil
}

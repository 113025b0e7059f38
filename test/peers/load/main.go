// Command load sends one request again and again over a number of connections, each waiting for its answer, for a
// bounded time, and prints what came of it as one line of JSON. Loopback only.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	catalog "meshwright.dev/test/peers/gen/test/catalog/v1"
)

type result struct {
	Requests int     `json:"requests"`
	Failed   int     `json:"failed"`
	Seconds  float64 `json:"seconds"`
	// Microseconds.
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

const longest = time.Minute

func main() {
	target := flag.String("url", "", "http://HOST:PORT/PATH, or grpc://HOST:PORT for CatalogService/GetProduct")
	body := flag.String("body", "", "JSON to POST; GET without it")
	workers := flag.Int("connections", 32, "connections, or calls in flight for gRPC")
	duration := flag.Duration("duration", 5*time.Second, "how long")
	flag.Parse()
	to, err := url.Parse(*target)
	if err != nil {
		log.Fatal(err)
	}
	if ip := net.ParseIP(to.Hostname()); ip == nil || !ip.IsLoopback() {
		log.Fatalf("-url: %q received; allowed an address of the loopback interface", *target)
	}
	if *duration > longest {
		log.Fatalf("-duration: %s received; allowed %s at most", *duration, longest)
	}
	var send []func() error
	if to.Scheme == "grpc" {
		send, err = grpcSenders(to.Host, *workers)
	} else {
		send = httpSenders(*target, to.Host, *body, *workers)
	}
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(measure(send, *duration)); err != nil {
		log.Fatal(err)
	}
}

func measure(send []func() error, duration time.Duration) result {
	times := make([][]time.Duration, len(send))
	failed := make([]int, len(send))
	started := time.Now()
	end := started.Add(duration)
	var group sync.WaitGroup
	for worker, once := range send {
		group.Go(func() {
			taken := make([]time.Duration, 0, 1<<16)
			for before := time.Now(); before.Before(end); {
				err := once()
				after := time.Now()
				taken = append(taken, after.Sub(before))
				if err != nil {
					failed[worker]++
				}
				before = after
			}
			times[worker] = taken
		})
	}
	group.Wait()
	seconds := time.Since(started).Seconds()
	all := slices.Concat(times...)
	slices.Sort(all)
	at := func(share float64) float64 {
		if len(all) == 0 {
			return 0
		}
		return float64(all[int(share*float64(len(all)-1))].Nanoseconds()) / 1000
	}
	sum := 0
	for _, count := range failed {
		sum += count
	}
	return result{Requests: len(all), Failed: sum, Seconds: seconds, P50: at(0.5), P99: at(0.99)}
}

func httpSenders(target, host, body string, workers int) []func() error {
	client := &fasthttp.HostClient{
		Addr:         host,
		MaxConns:     workers,
		ReadTimeout:  10 * time.Second,
		WriteTimeout: 10 * time.Second,
	}
	senders := make([]func() error, workers)
	for worker := range senders {
		request, response := &fasthttp.Request{}, &fasthttp.Response{}
		request.SetRequestURI(target)
		if body != "" {
			request.Header.SetMethod(fasthttp.MethodPost)
			request.Header.SetContentType("application/json")
			request.SetBodyString(body)
		}
		senders[worker] = func() error {
			if err := client.Do(request, response); err != nil {
				return err
			}
			if code := response.StatusCode(); code != fasthttp.StatusOK {
				return fmt.Errorf("status %d", code)
			}
			return nil
		}
	}
	return senders
}

// So many calls share a connection, as a client's channel has it.
const callsPerConnection = 8

func grpcSenders(host string, workers int) ([]func() error, error) {
	senders := make([]func() error, workers)
	var client catalog.CatalogServiceClient
	for worker := range senders {
		if worker%callsPerConnection == 0 {
			connection, err := grpc.NewClient(host, grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				return nil, err
			}
			client = catalog.NewCatalogServiceClient(connection)
		}
		own := client
		request := &catalog.GetProductRequest{Id: "lamp"}
		senders[worker] = func() error {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			response, err := own.GetProduct(ctx, request)
			if err == nil && response.GetProduct().GetId() != request.GetId() {
				return errors.New("another product")
			}
			return err
		}
	}
	return senders, nil
}

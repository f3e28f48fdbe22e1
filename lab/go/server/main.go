// Server software "go": net/http with HTTP/1.1 and 2, quic-go with HTTP/3, in front of the lab's application.
// Argument: a file as ../../software/servers.ts writes it. Says "ready" on standard error.
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"

	"github.com/quic-go/quic-go/http3"
)

type setup struct {
	Origin string `json:"origin"`
	Port   int    `json:"port"`
	Hosts  []host `json:"hosts"`
}

type host struct {
	Addresses []string `json:"addresses"`
	Chain     string   `json:"chain"`
	Key       string   `json:"key"`
}

func proxyTo(origin string) (http.Handler, error) {
	target, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	// Messages go out as they come.
	proxy.FlushInterval = -1
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	// Whoever goes away in the middle does so.
	proxy.ErrorLog = log.New(discard{}, "", 0)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	return proxy, nil
}

type discard struct{}

func (discard) Write(bytes []byte) (int, error) { return len(bytes), nil }

func serve(one host, port int, handler http.Handler, failed chan<- error) error {
	certificate, err := tls.LoadX509KeyPair(one.Chain, one.Key)
	if err != nil {
		return err
	}
	for _, address := range one.Addresses {
		at := net.JoinHostPort(address, strconv.Itoa(port))
		config := &tls.Config{Certificates: []tls.Certificate{certificate}}
		tcp, err := new(net.ListenConfig).Listen(context.Background(), "tcp", at)
		if err != nil {
			return err
		}
		plain := &http.Server{Handler: handler, TLSConfig: config.Clone(), ErrorLog: log.New(discard{}, "", 0)}
		go func() { failed <- plain.ServeTLS(tcp, "", "") }()
		udp, err := net.ListenPacket("udp", at)
		if err != nil {
			return err
		}
		quic := &http3.Server{Handler: handler, TLSConfig: http3.ConfigureTLSConfig(config)}
		go func() { failed <- quic.Serve(udp) }()
	}
	return nil
}

func run(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var wanted setup
	if err := json.Unmarshal(text, &wanted); err != nil {
		return err
	}
	handler, err := proxyTo(wanted.Origin)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for _, one := range wanted.Hosts {
		if err := serve(one, wanted.Port, handler, failed); err != nil {
			return err
		}
	}
	fmt.Fprintln(os.Stderr, "ready")
	return <-failed
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: server SETUP")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

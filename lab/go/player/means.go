package main

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/coder/websocket"
	"github.com/quic-go/quic-go/http3"
)

const filling = "k3v9xq7wz1m5n8b2c6f4h0j-p_rtydgslaeuioKQWZXVBNMHGFDSPOIUYTREwq8d7s6a5f4g3h2j1k0lzmxncbv"

const openingBytes = 160

func padding(bytes int) string {
	return strings.Repeat(filling, bytes/len(filling)+1)[:max(bytes, 0)]
}

func padded(order string, bytes int) []byte {
	return []byte(order + padding(bytes-len(order)))
}

type means struct {
	one    activity
	trust  *tls.Config
	client *http.Client
	finish func()
}

func newMeans(one activity, trust *tls.Config) *means {
	m := &means{one: one, trust: trust}
	if one.Protocol == "h3" {
		transport := &http3.Transport{TLSClientConfig: trust.Clone()}
		m.client = &http.Client{Transport: transport}
		m.finish = func() { transport.Close() }
		return m
	}
	config := trust.Clone()
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: one.Protocol == "h2", MaxConnsPerHost: 6}
	if one.Protocol == "h1" {
		config.NextProtos = []string{"http/1.1"}
	}
	m.client = &http.Client{Transport: transport}
	m.finish = transport.CloseIdleConnections
	return m
}

func (m *means) close() { m.finish() }

func (m *means) url(host int, path string) string {
	return "https://" + m.one.Hosts[host] + path
}

func (m *means) get(ctx context.Context, s step) error {
	path := fmt.Sprintf("/g/%d/%d/%d", s.Down, s.Hold, s.Rate)
	if s.Up > 0 {
		path += "?" + padding(s.Up)
	}
	return m.exchange(ctx, http.MethodGet, m.url(s.Host, path), nil)
}

func (m *means) post(ctx context.Context, s step) error {
	path := fmt.Sprintf("/u/%d/%d", s.Down, s.Hold)
	return m.exchange(ctx, http.MethodPost, m.url(s.Host, path), strings.NewReader(padding(s.Up)))
}

func (m *means) exchange(ctx context.Context, method, url string, body io.Reader) error {
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return err
	}
	response, err := m.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func (m *means) channel(ctx context.Context, s step) error {
	if m.one.Protocol == "h1" {
		return m.webSocket(ctx, s)
	}
	return m.messageStream(ctx, s)
}

// The message that asks for the answers of a send.
func orderOf(one send) []byte {
	answers := make([]string, len(one.Replies))
	for i, reply := range one.Replies {
		answers[i] = fmt.Sprintf("%d.%d", reply[0], reply[1])
	}
	return padded(strings.Join(answers, "_")+"|", one.Up)
}

func openingOf(s step) []byte { return padded("!"+s.Push+"|", openingBytes) }

func (m *means) webSocket(ctx context.Context, s step) error {
	options := &websocket.DialOptions{HTTPClient: m.client}
	url := "wss://" + m.one.Hosts[s.Host] + "/c"
	socket, _, err := websocket.Dial(ctx, url, options)
	if err != nil {
		return err
	}
	defer socket.CloseNow()
	socket.SetReadLimit(-1)
	reading, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for {
			if _, _, err := socket.Read(reading); err != nil {
				return
			}
		}
	}()
	if err := socket.Write(ctx, websocket.MessageText, openingOf(s)); err != nil {
		return err
	}
	err = playSends(ctx, s, func(one send) error {
		return socket.Write(ctx, websocket.MessageText, orderOf(one))
	})
	if err == nil {
		socket.Close(websocket.StatusNormalClosure, "")
	}
	return err
}

// As gRPC does: one request whose body and answer are open at the same time.
func (m *means) messageStream(ctx context.Context, s step) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reader, writer := io.Pipe()
	defer writer.Close()
	go m.exchange(ctx, http.MethodPost, m.url(s.Host, "/s"), reader)
	write := func(message []byte) error {
		framed := binary.BigEndian.AppendUint32(nil, uint32(len(message)))
		_, err := writer.Write(append(framed, message...))
		return err
	}
	if err := write(openingOf(s)); err != nil {
		return err
	}
	return playSends(ctx, s, func(one send) error { return write(orderOf(one)) })
}

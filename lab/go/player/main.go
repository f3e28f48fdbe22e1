// Client software "go" and "quic-go": net/http over crypto/tls, HTTP/3 over quic-go.
// Argument: the certificate of the authority. Speaks the protocol of ../../players/player-loop.ts.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Activities of an hour of game moves are long lines.
const lineBytesMax = 16 << 20

type activity struct {
	ID       string   `json:"id"`
	Protocol string   `json:"protocol"`
	Hosts    []string `json:"hosts"`
	Steps    []step   `json:"steps"`
	Within   int      `json:"within"`
}

type outcome struct {
	ID      string `json:"id"`
	StartUs int64  `json:"startUs"`
	EndUs   int64  `json:"endUs"`
	Fault   string `json:"fault,omitempty"`
}

func perform(one activity, trust *tls.Config) outcome {
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), milliseconds(one.Within))
	defer cancel()
	means := newMeans(one, trust)
	err := play(ctx, one.Steps, means)
	means.close()
	result := outcome{ID: one.ID, StartUs: start.UnixMicro(), EndUs: time.Now().UnixMicro()}
	// Time that is over is no fault.
	if err != nil && ctx.Err() == nil {
		result.Fault = err.Error()
	}
	return result
}

func run(authority string) error {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	trust := &tls.Config{RootCAs: roots}
	fmt.Fprintln(os.Stderr, "ready")
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, lineBytesMax)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var one activity
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return err
		}
		if err := out.Encode(perform(one, trust)); err != nil {
			return err
		}
	}
	return lines.Err()
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: player AUTHORITY")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "player:", err)
		os.Exit(1)
	}
}

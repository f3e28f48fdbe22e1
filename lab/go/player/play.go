package main

import (
	"context"
	"sync"
	"time"
)

// A step of any kind (../../scenario/step.ts says which fields belong to which).
type step struct {
	Op      string `json:"op"`
	Ms      int    `json:"ms"`
	Host    int    `json:"host"`
	Up      int    `json:"up"`
	Down    int    `json:"down"`
	Hold    int    `json:"hold"`
	Rate    int    `json:"rate"`
	Objects []step `json:"objects"`
	Lasts   int    `json:"lasts"`
	Push    string `json:"push"`
	Sends   []send `json:"sends"`
	Steps   []step `json:"steps"`
	Limit   int    `json:"limit"`
	Every   int    `json:"every"`
	Ahead   int    `json:"ahead"`
}

type send struct {
	At      int      `json:"at"`
	Up      int      `json:"up"`
	Replies [][2]int `json:"replies"`
}

// As a browser has to a host.
const pageParallel = 6

func milliseconds(ms int) time.Duration { return time.Duration(ms) * time.Millisecond }

func pause(ctx context.Context, wait time.Duration) error {
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func play(ctx context.Context, steps []step, m *means) error {
	for _, one := range steps {
		if err := playStep(ctx, one, m); err != nil {
			return err
		}
	}
	return nil
}

func playStep(ctx context.Context, one step, m *means) error {
	switch one.Op {
	case "wait":
		return pause(ctx, milliseconds(one.Ms))
	case "get":
		return m.get(ctx, one)
	case "post":
		return m.post(ctx, one)
	case "page":
		if err := m.get(ctx, one); err != nil {
			return err
		}
		return together(one.Objects, pageParallel, func(object step) error { return m.get(ctx, object) })
	case "channel":
		return m.channel(ctx, one)
	case "sequence":
		return play(ctx, one.Steps, m)
	case "together":
		return together(one.Steps, one.Limit, func(s step) error { return playStep(ctx, s, m) })
	case "pace":
		return paced(ctx, one, m)
	}
	return nil
}

func paced(ctx context.Context, pace step, m *means) error {
	start := time.Now()
	for i, one := range pace.Steps {
		due := start.Add(milliseconds((i - pace.Ahead) * pace.Every))
		if err := pause(ctx, time.Until(due)); err != nil {
			return err
		}
		if err := playStep(ctx, one, m); err != nil {
			return err
		}
	}
	return nil
}

// Each step, at most `limit` at a time; the first fault of them.
func together(steps []step, limit int, each func(step) error) error {
	var group sync.WaitGroup
	var once sync.Once
	var first error
	lanes := make(chan struct{}, max(limit, 1))
	for _, one := range steps {
		lanes <- struct{}{}
		group.Add(1)
		go func() {
			defer group.Done()
			if err := each(one); err != nil {
				once.Do(func() { first = err })
			}
			<-lanes
		}()
	}
	group.Wait()
	return first
}

// Hands over each message of a channel when its time has come; over after `Lasts`.
func playSends(ctx context.Context, channel step, hand func(send) error) error {
	start := time.Now()
	for _, one := range channel.Sends {
		if err := pause(ctx, time.Until(start.Add(milliseconds(one.At)))); err != nil {
			return err
		}
		if err := hand(one); err != nil {
			return err
		}
	}
	return pause(ctx, time.Until(start.Add(milliseconds(channel.Lasts))))
}

package gateway_test

import (
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/aloft-run/aloft/internal/gateway"
)

// TestPace: slow is who has something ready at every look of a whole minute and takes less than the rate.
func TestPace(t *testing.T) {
	const rate = 100
	for name, tt := range map[string]struct {
		perLook uint64 // bytes taken between two looks, one a second
		ready   func(second int) bool
		want    bool
	}{
		"nothing":        {0, func(int) bool { return true }, true},
		"too little":     {99, func(int) bool { return true }, true},
		"enough":         {101, func(int) bool { return true }, false},
		"little to take": {1, func(int) bool { return false }, false},
		"caught up once": {1, func(second int) bool { return second%50 != 0 }, false},
	} {
		looks := make([]gateway.Look, 0, 200)
		var taken uint64
		for second := range 200 {
			taken += tt.perLook
			looks = append(looks, gateway.Look{Taken: taken, Ready: tt.ready(second)})
		}
		if got := gateway.Slow(looks, time.Second, rate, time.Minute); got != tt.want {
			t.Errorf("%s: slow is %v", name, got)
		}
	}
}

// TestTalk: requests cost nothing, idle talk has a budget, and how reads cut the frames does not matter.
func TestTalk(t *testing.T) {
	frame := func(kind http2.FrameType, flags byte, size int) []byte {
		return append([]byte{byte(size >> 16), byte(size >> 8), byte(size), byte(kind), flags, 0, 0, 0, 1}, make([]byte, size)...)
	}
	for name, tt := range map[string]struct {
		frame []byte
		slow  bool
	}{
		"requests":        {frame(http2.FrameHeaders, 5, 100), false},
		"bodies":          {frame(http2.FrameData, 0, 1000), false},
		"ends of bodies":  {frame(http2.FrameData, 1, 0), false},
		"small messages":  {frame(http2.FrameData, 0, 5), false},
		"window updates":  {frame(http2.FrameWindowUpdate, 0, 4), false},
		"pings":           {frame(http2.FramePing, 0, 8), true},
		"settings":        {frame(http2.FrameSettings, 0, 12), true},
		"resets":          {frame(http2.FrameRSTStream, 0, 4), true},
		"continuations":   {frame(http2.FrameContinuation, 0, 1000), true},
		"unknown frames":  {frame(0x0c, 0xff, 20), true},
		"empty DATA":      {frame(http2.FrameData, 0, 0), true},
		"priority frames": {frame(http2.FramePriority, 0, 5), true},
	} {
		for _, size := range []int{1, 7, 9, 4096, 1 << 20} {
			text := []byte(http2.ClientPreface)
			for range 3000 {
				text = append(text, tt.frame...)
			}
			pause := gateway.Pause(text, size)
			if (pause > 0) != tt.slow {
				t.Errorf("%s, %d bytes a read: a pause of %v", name, size, pause)
			}
			if tt.slow && (pause < 9*time.Second || pause > 11*time.Second) { // 2,000 frames too many, 200 a second
				t.Errorf("%s, %d bytes a read: a pause of %v", name, size, pause)
			}
		}
	}
}

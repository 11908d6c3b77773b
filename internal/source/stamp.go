package source

import "time"

// stamp tells whether a file is still the one that was seen: any write changes it, unless it comes within a clock tick.
type stamp struct {
	mtime, ctime int64 // nanoseconds since 1970; ctime is 0 where the system does not tell
	inode        uint64
}

const (
	clockTick  = 50 * time.Millisecond // more than that of any kernel
	coarseTick = 2 * time.Second       // of file systems that keep whole seconds
)

// fresh reports whether the file's times are so close to now (nanoseconds since 1970), or after it, that a write that
// follows may leave them as they are.
func (s stamp) fresh(now int64) bool {
	for _, t := range []int64{s.mtime, s.ctime} {
		tick := clockTick
		if t%int64(time.Second) == 0 {
			tick = coarseTick
		}
		if t != 0 && t+int64(tick) >= now {
			return true
		}
	}
	return false
}

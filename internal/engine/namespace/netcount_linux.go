package namespace

import (
	"bytes"
	"net"
	"os"
	"strconv"
	"time"
)

// lookAgain is how old a list of listening sockets may be while the sandbox's sockets are as many as they were. The numbers
// tell of every TCP socket that begins to listen; Unix sockets do so silently.
const lookAgain = 10 * time.Millisecond

// netCount tells by the numbers of a network's sockets whether there may be something new to see. To read them takes a few
// microseconds, to list the sockets ten times that: the kernel walks the tables of all networks. Starting programs are looked at each
// millisecond.
type netCount struct {
	files [2]*os.File // sockstat and sockstat6 of /proc/PID/net; nil if there are none
	buf   [512]byte
	have  []byte // what the numbers were
	at    time.Time
	found []net.Addr
}

// watch opens the numbers of a process's network.
func (c *netCount) watch(pid int) {
	for i, name := range []string{"sockstat", "sockstat6"} {
		c.files[i], _ = os.Open("/proc/" + strconv.Itoa(pid) + "/net/" + name) // without it every look is a whole one
	}
}

// same reports whether the list that was found last still holds.
func (c *netCount) same(now time.Time) bool {
	var numbers []byte
	for _, f := range c.files {
		if f == nil {
			return false
		}
		n, _ := f.ReadAt(c.buf[:], 0)
		// "sockets: used 2\nTCP: inuse 1 orphan 0 …" and "TCP6: inuse 1\n…": what follows is of the whole machine
		text := c.buf[:n]
		if i := bytes.Index(text, []byte("inuse ")); i >= 0 {
			if j := bytes.IndexAny(text[i+len("inuse "):], " \n"); j >= 0 {
				text = text[:i+len("inuse ")+j]
			}
		}
		numbers = append(numbers, text...)
	}
	same := bytes.Equal(numbers, c.have) && now.Sub(c.at) < lookAgain
	c.have = numbers
	return same
}

func (c *netCount) close() {
	for _, f := range c.files {
		if f != nil {
			_ = f.Close()
		}
	}
	c.files = [2]*os.File{}
}

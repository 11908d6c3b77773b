package enginetest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childArg is the first argument of a test binary that is to act as a user's program.
const childArg = "enginetest-child"

// Main runs the tests of a package whose engines start Child commands. TestMain calls it.
func Main(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == childArg {
		os.Exit(child(os.Args[2], os.Args[3:]))
	}
	os.Exit(m.Run())
}

// Child returns the command of a user's program that behaves as told:
//
//	echo WORD…        prints the words, copies stdin to stdout
//	env               prints its environment
//	fail TEXT         prints TEXT to stderr, exits with status 3
//	crash             dies by SIGKILL
//	hang [TOKEN]      runs until killed
//	stubborn          the same, and ignores SIGTERM
//	fork, setsid [TOKEN]  starts a hanging child (that leaves the session by a double fork), prints its pid, hangs
//	leave             the same as setsid, but exits once the child runs
//	flood N           prints N megabytes of lines
//	listen WHERE…     serves HTTP on each of tcp4:PORT, tcp6:PORT, unix:PATH, udp:PORT; PORT may be $PORT. See web.
//	tell ADDRESS N    prints N lines, each told to ADDRESS
//	late DELAY WHERE  the first place at once, the others after DELAY
func Child(args ...string) []string {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return append([]string{self, childArg}, args...)
}

// tell prints lines and, after each, says so at an address and waits for an answer.
func tell(address string, lines int) int {
	conn, err := net.Dial("tcp", address) //nolint:noctx // it is there already
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	b := make([]byte, 1)
	for i := range lines {
		fmt.Println("line", i)
		if _, err := conn.Write(b); err != nil {
			return 1
		}
		if _, err := io.ReadFull(conn, b); err != nil {
			return 1
		}
	}
	return 0
}

// dial says what answers at an address.
func dial(address string) int {
	conn, err := net.Dial("tcp", address) //nolint:noctx // it is there already
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, _ = io.Copy(os.Stdout, conn)
	return 0
}

func child(what string, args []string) int {
	switch what {
	case "echo":
		fmt.Println(strings.Join(args, " "))
		_, _ = io.Copy(os.Stdout, os.Stdin)
	case "env":
		fmt.Println(strings.Join(os.Environ(), "\n"))
	case "fail":
		fmt.Fprintln(os.Stderr, strings.Join(args, " "))
		return 3
	case "crash":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		hang()
	case "hang":
		fmt.Println("ready")
		hang()
	case "fork", "setsid", "leave", "middle":
		return spawn(what, args)
	case "flood":
		flood(args[0])
	case "listen":
		return listen(0, args)
	case "tell":
		lines, _ := strconv.Atoi(args[1])
		return tell(args[0], lines)
	case "dial":
		return dial(args[0])
	case "late":
		delay, _ := time.ParseDuration(args[0])
		return listen(delay, args[1:])
	}
	return 0
}

func hang() {
	for {
		time.Sleep(time.Hour)
	}
}

func flood(megabytes string) {
	n := 0
	_, _ = fmt.Sscan(megabytes, &n)
	line := []byte(strings.Repeat("x", 127) + "\n")
	chunk := make([]byte, 0, 1<<20)
	for len(chunk) < 1<<20 {
		chunk = append(chunk, line...)
	}
	for range n {
		_, _ = os.Stdout.Write(chunk)
	}
}

// spawn starts a hanging descendant. "middle" is the process between of a double fork.
func spawn(what string, args []string) int {
	next := Child(append([]string{"hang"}, args...)...)
	if what == "setsid" || what == "leave" {
		next = Child(append([]string{"middle"}, args...)...)
	}
	cmd := exec.CommandContext(context.Background(), next[0], next[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: what == "middle"}
	if what == "setsid" || what == "leave" {
		out, err := cmd.Output()
		fmt.Print(string(out))
		if err != nil || what == "leave" {
			return 0
		}
		hang()
	}
	if err := cmd.Start(); err != nil {
		return 1
	}
	fmt.Println(cmd.Process.Pid)
	if what == "fork" {
		hang()
	}
	return 0
}

// listen serves HTTP. /pid, /env?NAME, /slow?DURATION, /crash, /say?TEXT answer as they are called; anything else is
// answered with $GREETING or "hello".
func listen(delay time.Duration, where []string) int {
	failed := make(chan struct{}, 1)
	var config net.ListenConfig
	for i, w := range where {
		if i == 1 {
			time.Sleep(delay)
		}
		network, address, _ := strings.Cut(w, ":")
		address = os.ExpandEnv(address)
		switch network {
		case "tcp4":
			address = "127.0.0.1:" + address
		case "tcp6":
			address = "[::1]:" + address
		case "any":
			network, address = "tcp", ":"+address
		case "udp":
			if _, err := config.ListenPacket(context.Background(), "udp4", "127.0.0.1:"+address); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			continue
		}
		l, err := config.Listen(context.Background(), network, address)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		go func() {
			server := &http.Server{Handler: http.HandlerFunc(web), ReadHeaderTimeout: time.Minute}
			fmt.Fprintln(os.Stderr, server.Serve(l))
			failed <- struct{}{}
		}()
	}
	<-failed
	return 1
}

func web(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/events/") {
		event(w, r)
		return
	}
	switch query := r.URL.RawQuery; r.URL.Path {
	case "/pid":
		fmt.Fprint(w, os.Getpid())
	case "/env":
		fmt.Fprint(w, os.Getenv(query))
	case "/slow":
		delay, _ := time.ParseDuration(query)
		time.Sleep(delay)
		fmt.Fprint(w, "slow")
	case "/say":
		fmt.Println(query)
	case "/crash":
		os.Exit(7)
	case "/sick":
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		greeting := os.Getenv("GREETING")
		if greeting == "" {
			greeting = "hello"
		}
		fmt.Fprint(w, greeting)
	}
}

// event answers an event: with the status and text that its document asks for, else with all that came.
func event(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Status int
		Text   string
		Sleep  string
		Crash  bool
	}
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &asked) // an event may be any document
	delay, _ := time.ParseDuration(asked.Sleep)
	time.Sleep(delay)
	switch {
	case asked.Crash:
		os.Exit(7)
	case asked.Status != 0:
		w.WriteHeader(asked.Status)
		fmt.Fprint(w, asked.Text)
	default:
		_ = json.NewEncoder(w).Encode(map[string]any{
			"greeting": os.Getenv("GREETING"), "method": r.Method, "path": r.URL.EscapedPath(), "host": r.Host, "header": r.Header, "body": string(body),
		})
	}
}

package home

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aloft-run/aloft/internal/porttest"
)

// App is a hello server in some language, in a directory that aloft can deploy and that runs without it as well.
type App struct {
	Name, Dir string
	Command   []string
}

const (
	nodeServer = `require('http').createServer((q, r) => r.end('Hello, world!\n')).listen(process.env.PORT, process.env.HOST)
`
	pythonServer = `import http.server, os
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '14')
        self.end_headers()
        self.wfile.write(b'Hello, world!\n')
http.server.ThreadingHTTPServer((os.environ['HOST'], int(os.environ['PORT'])), Hello).serve_forever()
`
	javaServer = `import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
public class Server {
    public static void main(String[] args) throws Exception {
        byte[] hello = "Hello, world!\n".getBytes();
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress(System.getenv("HOST"), port), 64);
        server.createContext("/", x -> {
            x.sendResponseHeaders(200, hello.length);
            x.getResponseBody().write(hello);
            x.close();
        });
        server.start();
    }
}
`
)

// Apps plants a hello server below dir for each language that the machine has: Go, Node.js, Python, Java. For the others it
// says why not. manifest is their aloft.yml; prefix makes names of it that nothing else has.
func Apps(ctx context.Context, dir, prefix, manifest string) (list []App, missing []string, err error) {
	for _, a := range []struct {
		name, program string
		where, args   []string
		files         map[string]string
	}{
		{name: "Go"},
		{"Node.js", "node", []string{"-p", "process.execPath"}, []string{"server.js"}, map[string]string{"server.js": nodeServer}},
		{"Python", "python3", []string{"-c", "import sys; print(sys.executable)"}, []string{"server.py"}, map[string]string{"server.py": pythonServer}},
		{"Java", "java", nil, []string{"-cp", ".", "Server"}, map[string]string{"Server.java": javaServer}},
	} {
		app := App{Name: a.name, Dir: filepath.Join(dir, prefix+strings.ToLower(strings.ReplaceAll(a.name, ".", "")))}
		files := map[string]string{}
		for name, text := range a.files {
			files[name] = text
		}
		if a.program == "" {
			app.Command = []string{"./server"}
		} else {
			program, err := interpreter(ctx, a.program, a.where)
			if err != nil {
				missing = append(missing, fmt.Sprintf("%s: %v", a.name, err))
				continue
			}
			app.Command = append([]string{program}, a.args...)
			files["Procfile"] = "web: " + strings.Join(app.Command, " ") + "\n"
		}
		if manifest != "" {
			files["aloft.yml"] = manifest
		}
		if err := Plant(app.Dir, files); err != nil {
			return nil, nil, err
		}
		if err := compile(ctx, app); err != nil {
			missing = append(missing, fmt.Sprintf("%s: %v", a.name, err))
			continue
		}
		list = append(list, app)
	}
	return list, missing, nil
}

// interpreter finds the program itself: what the shim of a version manager costs is not what is measured.
func interpreter(ctx context.Context, name string, where []string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil || len(where) == 0 {
		return path, err
	}
	out, err := exec.CommandContext(ctx, path, where...).Output()
	return strings.TrimSpace(string(out)), err
}

func compile(ctx context.Context, app App) error {
	switch app.Name {
	case "Go":
		return Hello(ctx, filepath.Join(app.Dir, "server"))
	case "Java":
		c := exec.CommandContext(ctx, "javac", "Server.java")
		c.Dir = app.Dir
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("javac: %w\n%s", err, out)
		}
		return os.Remove(filepath.Join(app.Dir, "Server.java"))
	}
	return nil
}

// Bare starts the app without aloft and returns how long after exec it accepts a connection, tried every 0.2 ms, and how
// long after exec it has answered a request on it. Both are in milliseconds.
func (a App) Bare(ctx context.Context) (accepts, answers float64, err error) {
	port, err := porttest.Find()
	if err != nil {
		return 0, 0, err
	}
	c := exec.CommandContext(ctx, a.Command[0], a.Command[1:]...)
	c.Dir = a.Dir
	c.Env = append(os.Environ(), "HOST=127.0.0.1", "PORT="+port)
	began := time.Now()
	if err := c.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	}()
	since := func() float64 { return float64(time.Since(began).Microseconds()) / 1000 }
	for {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			accepts = since()
			transport := &http.Transport{
				DisableKeepAlives: true,
				DialContext:       func(context.Context, string, string) (net.Conn, error) { return conn, nil },
			}
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port, http.NoBody)
			if err != nil {
				return 0, 0, err
			}
			answer, err := transport.RoundTrip(request)
			if err != nil {
				return 0, 0, err
			}
			return accepts, since(), answer.Body.Close()
		}
		if time.Since(began) > 20*time.Second || ctx.Err() != nil {
			return 0, 0, fmt.Errorf("%s does not listen: %w", a.Name, err)
		}
		time.Sleep(200 * time.Microsecond)
	}
}

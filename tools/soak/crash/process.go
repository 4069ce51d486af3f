package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// process is one `bot serve`, which may be killed and started again: on the same port,
// with the same memory.
type process struct {
	name string
	path string
	env  []string
	port int
	log  string

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{} // closed when cmd has ended
	meant bool          // it was us who ended it
}

// newProcess describes a process; start starts it.
func (w *world) newProcess(name string) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	private, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &process{name: name, path: w.bot, port: port, log: filepath.Join(w.dir, "logs", name+".log")}
	p.env = append(w.memory(),
		"PATH="+os.Getenv("PATH"), "HOME="+w.dir, "HOST=127.0.0.1", "PORT="+strconv.Itoa(port), "ADMIN_ADDRESS=127.0.0.1:"+strconv.Itoa(private),
		"APP_ID="+strconv.FormatInt(w.app.ID, 10), "PRIVATE_KEY_PATH="+filepath.Join(w.dir, "app.pem"), "WEBHOOK_SECRET="+w.app.Secret,
		"GITHUB_API_URL="+w.fake.URL+"/api/v3", "SEALWARD_KEYS_DIR="+filepath.Join(w.dir, "keys"), "LOG_FORMAT=json", "LOG_LEVEL=info",
	)
	return p, nil
}

// memory says where the bot's memory is, in variables of its environment.
func (w *world) memory() []string {
	if w.store == "postgres" {
		return []string{"DATABASE_URL=" + w.dsn}
	}
	return []string{"DATABASE_URL=sqlite://" + filepath.Join(w.dir, "state", "bot.db")}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (p *process) webhook() string {
	return fmt.Sprintf("http://127.0.0.1:%d/api/github/webhooks", p.port)
}

func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.path, "serve")
	cmd.Env, cmd.Stdout, cmd.Stderr = p.env, log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	p.cmd, p.ended, p.meant = cmd, ended, false
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	return nil
}

// restart starts the process and waits until it takes deliveries.
func (p *process) restart(ctx context.Context) error {
	if err := p.start(); err != nil {
		return err
	}
	return p.up(ctx)
}

// up waits until the process takes deliveries. A process that ends instead is an error,
// with the end of its log.
func (p *process) up(ctx context.Context) error {
	client := &http.Client{Timeout: time.Second}
	for {
		p.mu.Lock()
		ended := p.ended
		p.mu.Unlock()
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s takes no deliveries: %w\n%s", p.name, ctx.Err(), tail(p.log))
		case <-ended:
			return fmt.Errorf("%s ended by itself\n%s", p.name, tail(p.log))
		case <-time.After(5 * time.Millisecond):
		}
		if resp, err := client.Get(p.webhook()); err == nil {
			_ = resp.Body.Close()
			return nil
		}
	}
}

// kill ends the process as a power cut does, and says whether it was alive.
func (p *process) kill() bool {
	p.mu.Lock()
	cmd, ended := p.cmd, p.ended
	p.meant = true
	p.mu.Unlock()
	if cmd == nil {
		return false
	}
	select {
	case <-ended:
		return false
	default:
	}
	_ = cmd.Process.Signal(syscall.SIGKILL)
	<-ended
	return true
}

// end stops the process as an operator does.
func (p *process) end() {
	p.mu.Lock()
	cmd, ended := p.cmd, p.ended
	p.meant = true
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
	}
}

// crashed says whether the process ended and nobody ended it.
func (p *process) crashed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil || p.meant {
		return false
	}
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// tail is the end of a log.
func tail(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-2000):])
}

package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// Server is a llama-server on the loopback interface.
type Server struct {
	URL   string // without the version of an interface
	cmd   *exec.Cmd
	log   bytes.Buffer
	ended chan struct{}
}

// Serve starts a llama-server on a model's file, with env beside the environment that there is, and waits until it can be asked.
func Serve(ctx context.Context, env []string, program, file string, args ...string) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	s := &Server{URL: "http://" + addr.String(), ended: make(chan struct{})}
	s.cmd = exec.CommandContext(ctx, program, append([]string{"-m", file, "--host", "127.0.0.1", "--port", strconv.Itoa(addr.Port)}, args...)...)
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait() // its log says more
		close(s.ended)
	}()
	for range 600 {
		if r, err := http.Get(s.URL + "/health"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		select {
		case <-s.ended:
			log := s.log.String()
			return nil, fmt.Errorf("%s ended: %s", program, log[max(0, len(log)-400):])
		case <-time.After(100 * time.Millisecond):
		}
	}
	s.Stop()
	return nil, errors.New("llama-server was not ready within a minute")
}

// Stop ends the server and waits for it.
func (s *Server) Stop() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.ended
}

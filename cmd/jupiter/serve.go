package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jupiter/plan/addr"
	"jupiter/runtime"
	"jupiter/runtime/serve"
)

type serveOptions struct {
	targetOptions
	cycleOptions
	version   string
	listen    string
	tokenEnv  string
	tokenFile string
	chat      bool
	parallel  int
	queue     int
	timeout   time.Duration
	logTexts  bool
}

func newServeCommand(w *world) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve [DIR|FILE]",
		Short: "Serve the generator in use to applications, as OpenAI's API does",
		Long: `Serve the generator in use over HTTP, with /v1/models, /v1/completions, /v1/chat/completions and /health, for
applications that can talk to OpenAI's API. After a promotion or a rollback new requests have the new
generator; the server goes on. Beyond this machine it serves only who has the token.

The first Ctrl-C takes no new requests, and ends when those in work are done; the second one ends at once.

Exit status: 0 ended by Ctrl-C, 1 error, 130 ended at once.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return serveCommandLine(cmd.Context(), w, &o, arg(args))
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.version, "version", "", "serve the generator's version `N` and no other; the one in use unless given")
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "listen on `ADDRESS:PORT`; port 0 takes a free one")
	f.StringVar(&o.tokenEnv, "token-env", "", "requests must bear the token in the environment variable `NAME`")
	f.StringVar(&o.tokenFile, "token-file", "", "requests must bear the token in `FILE`")
	f.BoolVar(&o.chat, "chat", false, "a user's message that stands alone is a turn of a chat too, for models that learned from chats")
	f.IntVar(&o.parallel, "parallel", 64, "at most `N` texts in work at a time")
	f.IntVar(&o.queue, "queue", 256, "at most `N` requests waiting for their turn")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "a request takes at most so `LONG`, waiting included")
	f.BoolVar(&o.logTexts, "log-texts", false, "write prompts and answers into the log too")
	return cmd
}

// minToken is the least length of a token, in bytes: a shorter one can be guessed.
const minToken = 16

// token reads the token from where the options say; "": none is asked for.
func (o *serveOptions) token(w *world) (string, error) {
	var token, from string
	switch {
	case o.tokenEnv != "" && o.tokenFile != "":
		return "", usageError{errors.New("--token-env and --token-file: the token comes from one of them")}
	case o.tokenEnv != "":
		from = "the environment variable " + o.tokenEnv
		token, _ = w.getenv(o.tokenEnv)
	case o.tokenFile != "":
		f, err := os.Open(o.tokenFile)
		if err != nil {
			return "", fmt.Errorf("--token-file: %w", err)
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, 4<<10))
		if err != nil {
			return "", fmt.Errorf("--token-file: %w", err)
		}
		from, token = o.tokenFile, string(b)
	default:
		return "", nil
	}
	if token = strings.TrimSpace(token); len(token) < minToken {
		return "", fmt.Errorf("the token in %s has %d bytes, and one has at least %d: openssl rand -hex 32 makes one", from, len(token), minToken)
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("the token in %s has a character that no HTTP header can carry", from)
	}
	return token, nil
}

func (o *serveOptions) check() error {
	switch {
	case o.parallel < 1:
		return usageError{fmt.Errorf("--parallel %d: at least 1", o.parallel)}
	case o.queue < 0:
		return usageError{fmt.Errorf("--queue %d: at least 0", o.queue)}
	case o.timeout <= 0:
		return usageError{fmt.Errorf("--timeout %s: above 0", o.timeout)}
	}
	return nil
}

// address is where to listen. Beyond this machine a token is needed.
func (o *serveOptions) address(token string) (*net.TCPAddr, error) {
	a, err := net.ResolveTCPAddr("tcp", o.listen)
	if err != nil {
		return nil, usageError{fmt.Errorf("--listen %s is no ADDRESS:PORT: %w", o.listen, err)}
	}
	if !a.IP.IsLoopback() && token == "" {
		return nil, usageError{fmt.Errorf("--listen %s can be reached from other machines: a token is needed, from --token-env or --token-file", o.listen)}
	}
	return a, nil
}

// serveCommandLine is jupiter serve.
func serveCommandLine(ctx context.Context, w *world, o *serveOptions, arg string) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	version, err := parseVersion("--version", o.version)
	if err != nil {
		return err
	}
	token, err := o.token(w)
	if err != nil {
		return err
	}
	at, err := o.address(token)
	if err != nil {
		return err
	}
	watch := watchInterrupts(ctx, w)
	defer watch.close()
	ctx = watch.ctx
	log := slog.New(slog.NewTextHandler(w.err, nil))
	p, err := open(ctx, w, &o.targetOptions, o.path(arg), access{warn: true, sink: logged{log}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	c, err := p.cycle(o.cycleOptions)
	if err != nil {
		return err
	}
	switch m, err := p.runner.Model(ctx, c.Addr, version); {
	case err == nil:
		if err := p.runner.WarmUp(ctx, m); err != nil {
			return err
		}
	case version > 0:
		return err
	default:
		fmt.Fprintf(w.err, "self_improvement.%s has no generator yet; requests are refused until jupiter apply has made one.\n", c.Name)
	}
	listener, err := net.ListenTCP("tcp", at)
	if err != nil {
		return err
	}
	server := serve.New(engine{p.runner, c.Addr, log, w}, serve.Options{
		Name: c.Name, Version: version, Chat: o.chat, Token: token, Local: at.IP.IsLoopback(), Parallel: o.parallel, Queue: o.queue, Timeout: o.timeout,
		Log: log, LogTexts: o.logTexts, Clock: w.now, Seed: newSeed,
	})
	return listenUntilStopped(ctx, w, watch, server.HTTP(ctx), listener, c.Name)
}

// endWithin is how long requests have to end after the second Ctrl-C, which has cancelled them.
const endWithin = 5 * time.Second

// listenUntilStopped serves until the first signal, and then until the requests in work are done, or the second.
func listenUntilStopped(ctx context.Context, w *world, watch *interrupts, server *http.Server, listener net.Listener, name string) error {
	down := make(chan struct{})
	watch.onFirst(func(context.Context) { close(down) }) // before anybody can know that it listens
	fmt.Fprintf(w.out, "Serving %s on http://%s/v1\n", name, listener.Addr())
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	case <-down:
		fmt.Fprintln(w.err, "No new requests. Those in work are done first; Ctrl-C once more ends at once.")
		if err := server.Shutdown(ctx); ctx.Err() == nil {
			<-served
			return err
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	if server.Shutdown(last) != nil {
		server.Close() // ctx's error says enough
	}
	<-served
	return ctx.Err()
}

// logged puts the warnings of plugins into the log.
type logged struct{ log *slog.Logger }

func (l logged) Emit(e runtime.Event) {
	if e.Type == runtime.Warned {
		l.log.Warn(e.Message)
	}
}

// engine answers with the generators of a cycle.
type engine struct {
	runner *runtime.Runner
	cycle  addr.Address
	log    *slog.Logger
	w      *world
}

func (e engine) Models(ctx context.Context) ([]runtime.Model, error) {
	return e.runner.Models(ctx, e.cycle)
}

func (e engine) Ask(ctx context.Context, m runtime.Model, a runtime.Ask, done func(int, runtime.Completed) error) error {
	err := e.runner.Ask(ctx, m, a, done)
	if err != nil {
		to := e.w.project
		to.At = e.w.now()
		if kept := runtime.KeepReport(err, to); kept != "" {
			e.log.Error("a plugin's fault", "error", err.Error(), "report", strings.TrimSpace(kept))
		}
	}
	return err
}

// newSeed is a seed that nobody has chosen.
func newSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return binary.LittleEndian.Uint64(b[:])
}

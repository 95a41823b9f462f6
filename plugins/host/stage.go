package host

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
)

// Stage is a handle on one implementation. It may be used from several goroutines, and outlives the processes that
// serve it.
type Stage struct {
	Schema *schema.Stage
	conn   *conn
}

// The clients of the stage's service. That of another kind answers with a *ProtocolError or a *StageError.

func (s *Stage) Collector() pluginv1.CollectorClient { return pluginv1.NewCollectorClient(s.conn) }
func (s *Stage) Generator() pluginv1.GeneratorClient { return pluginv1.NewGeneratorClient(s.conn) }
func (s *Stage) Filter() pluginv1.FilterClient       { return pluginv1.NewFilterClient(s.conn) }
func (s *Stage) Verifier() pluginv1.VerifierClient   { return pluginv1.NewVerifierClient(s.conn) }
func (s *Stage) Trainer() pluginv1.TrainerClient     { return pluginv1.NewTrainerClient(s.conn) }
func (s *Stage) Evaluator() pluginv1.EvaluatorClient { return pluginv1.NewEvaluatorClient(s.conn) }
func (s *Stage) Exporter() pluginv1.ExporterClient   { return pluginv1.NewExporterClient(s.conn) }

// Limited gives the same stage with other bounds of its process. Where they are not those of another stage it has one of its
// own.
func (s *Stage) Limited(l Limits) *Stage {
	c := *s.conn
	c.limits = l
	return &Stage{Schema: s.Schema, conn: &c}
}

// Stalling gives the same stage with another Options.StallAfter; 0: the host's.
func (s *Stage) Stalling(after time.Duration) *Stage {
	c := *s.conn
	c.stall = after
	return &Stage{Schema: s.Schema, conn: &c}
}

// Given gives the same stage with variables of the user's environment that its process has in its own. Their values are
// shown nowhere (Conceal).
func (s *Stage) Given(variables []string) *Stage {
	if len(variables) == 0 {
		return s
	}
	names := slices.Sorted(slices.Values(variables))
	for _, n := range names {
		s.conn.pool.host.Conceal(lookup(s.conn.pool.host.opts.Env, n))
	}
	c := *s.conn
	c.names = strings.Join(slices.Compact(names), " ")
	return &Stage{Schema: s.Schema, conn: &c}
}

// Breach is the error of a stage that breaks the protocol in a way that only the caller can see. method is that of the
// protocol and item what was in work; either may be "".
func (s *Stage) Breach(method, item, format string, args ...any) error {
	in := s.conn.stage
	if method != "" {
		in = s.conn.inMethod("/" + method)
	}
	e := &ProtocolError{Plugin: s.Schema.Plugin, Version: s.conn.version, Stage: in, Item: item, Detail: s.conn.pool.host.Hide(fmt.Sprintf(format, args...))}
	if sum, err := s.conn.pool.exe.checksum(); err == nil {
		e.Checksum = hex.EncodeToString(sum)
	}
	return e
}

// Refuses is the error of a stage that says, in a diagnostic in the middle of a call, that it cannot go on.
func (s *Stage) Refuses(text string) error {
	return &StageError{Plugin: s.Schema.Plugin, Stage: s.conn.stage, Code: codes.FailedPrecondition.String(), Message: text}
}

// Warm starts the stage's process where none runs, and does not wait for it. What goes wrong is there for the first call,
// which tries again.
func (h *Host) Warm(ctx context.Context, s *Stage) {
	h.spawn(func() {
		if c, err := s.conn.anywhere(ctx); err == nil {
			c.release()
		}
	})
}

// Validate gives what the plugin has to say about a configuration: the JSON that schema.CanonicalJSON gives. For many
// configurations Host.Validate is faster.
func (s *Stage) Validate(ctx context.Context, config []byte) ([]schema.Diagnostic, error) {
	all, err := validate(ctx, s.conn, []Item{{Kind: s.Schema.Kind, Type: s.Schema.Type, Config: config}})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// Estimate forecasts a call for items samples, records or steps. The error is errors.ErrUnsupported where the stage
// cannot.
func (s *Stage) Estimate(ctx context.Context, config []byte, items uint64) (*pluginv1.EstimateResponse, error) {
	return s.EstimateFor(ctx, &pluginv1.EstimateRequest{Config: &pluginv1.Config{Json: config}, Items: items})
}

// EstimateFor is Estimate with all that a request can say; its kind and stage are set here.
func (s *Stage) EstimateFor(ctx context.Context, req *pluginv1.EstimateRequest) (*pluginv1.EstimateResponse, error) {
	req.Kind, req.Stage = schema.KindOf(s.Schema.Kind), s.Schema.Type
	r, err := pluginv1.NewPluginClient(s.conn).Estimate(ctx, req)
	return r, unsupported(err)
}

// Fingerprint says what the stage's source, or the model it serves, is now; a difference is drift. The error is
// errors.ErrUnsupported where the stage cannot say.
func (s *Stage) Fingerprint(ctx context.Context, config []byte) (*pluginv1.FingerprintResponse, error) {
	r, err := pluginv1.NewPluginClient(s.conn).Fingerprint(ctx, &pluginv1.FingerprintRequest{
		Kind: schema.KindOf(s.Schema.Kind), Stage: s.Schema.Type, Config: &pluginv1.Config{Json: config},
	})
	return r, unsupported(err)
}

// Check says what the stage would meet. The error is errors.ErrUnsupported where the stage has nothing to look at.
func (s *Stage) Check(ctx context.Context, config []byte) ([]*pluginv1.Finding, error) {
	r, err := pluginv1.NewPluginClient(s.conn).Check(ctx, &pluginv1.CheckRequest{
		Kind: schema.KindOf(s.Schema.Kind), Stage: s.Schema.Type, Config: &pluginv1.Config{Json: config},
	})
	return r.GetFindings(), unsupported(err)
}

// Unsupported says whether an error is that of an optional method which a stage does not have, or not for what it was asked
// about.
func Unsupported(err error) bool {
	var se *StageError
	return errors.As(err, &se) && se.Code == codes.Unimplemented.String()
}

func unsupported(err error) error {
	if Unsupported(err) {
		var se *StageError
		errors.As(err, &se)
		return fmt.Errorf("%s: %w", se.Message, errors.ErrUnsupported)
	}
	return err
}

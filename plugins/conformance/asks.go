package conformance

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"jupiter/plugins/contract"
	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

// What a plan asks of a stage before it runs: what it would take, and what its source is now. A stage need not answer, but
// then it never does.

// makerOf is the trainer of the plugin whose model a generator or an exporter would run or read; nil where there is none.
func (s *subject) makerOf() (*pluginv1.ModelMaker, error) {
	reader := s
	if s.kind() == "generator" {
		reader = s.of("exporter", func(x *subject) bool { return shares(x.schema.Produces, s.schema.Consumes) })
	}
	if reader == nil || reader.kind() != "exporter" {
		return nil, nil
	}
	maker := s.of("trainer", func(t *subject) bool { return shares(t.schema.Produces, reader.schema.Consumes) })
	if maker == nil {
		return nil, nil
	}
	config, err := maker.configuration()
	return &pluginv1.ModelMaker{Stage: maker.schema.Type, Config: &pluginv1.Config{Json: config}}, err
}

// estimates holds the figures of a stage to what a forecast needs of them.
func estimates(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	config, err := s.configuration()
	if err != nil {
		return err
	}
	maker, err := s.makerOf()
	if err != nil {
		return err
	}
	on, err := s.on(ctx, s.host)
	if err != nil {
		return err
	}
	last := &pluginv1.EstimateResponse{}
	for i, items := range []uint64{1, 10, 1000, 1000} {
		e, err := on.EstimateFor(ctx, &pluginv1.EstimateRequest{
			Config: &pluginv1.Config{Json: config}, Items: items, Maker: maker, Checkpoints: 1, PromptBytes: 40, ScoredBytes: 10 * float64(items),
		})
		var own *host.StageError
		switch {
		case errors.Is(err, errors.ErrUnsupported) && i == 0:
			return nil
		case errors.As(err, &own) && i == 0:
			return notChecked("it refuses to estimate: %s", firstLine(own.Message))
		case err != nil:
			return fmt.Errorf("%d items: %w", items, err)
		}
		if wrong := contract.Estimate(e); wrong != "" {
			return errors.New(wrong)
		}
		if i == 3 && !proto.Equal(e, last) {
			return fmt.Errorf("%d items are estimated otherwise the second time", items)
		}
		if less := shrinks(last, e); less != "" {
			return fmt.Errorf("%d items take less %s than fewer items", items, less)
		}
		last = e
	}
	return nil
}

// shrinks names a figure that is smaller in b than in a; "": none is.
func shrinks(a, b *pluginv1.EstimateResponse) (name string) {
	m := b.ProtoReflect()
	for i := range m.Descriptor().Fields().Len() {
		f := m.Descriptor().Fields().Get(i)
		was, is := a.ProtoReflect().Get(f), m.Get(f)
		if f.Kind() == protoreflect.DoubleKind && is.Float() < was.Float() || f.Kind() == protoreflect.Uint64Kind && is.Uint() < was.Uint() {
			return string(f.Name())
		}
	}
	return ""
}

// fingerprints asks what a source is, while nothing changes.
func fingerprints(ctx context.Context, s *subject) (err error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	config, err := s.configuration()
	if err != nil {
		return err
	}
	other, err := s.fresh()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, other.Close()) }()
	var first *pluginv1.FingerprintResponse
	for i, h := range []*host.Host{s.host, s.host, other} {
		on, err := s.on(ctx, h)
		if err != nil {
			return err
		}
		f, err := on.Fingerprint(ctx, config)
		var own *host.StageError
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			f = nil
		case errors.As(err, &own) && i == 0: // a generator whose configuration names no model has nothing to tell of
			return notChecked("its fingerprint ends with an error of its own: %s", firstLine(own.Message))
		case err != nil:
			return err
		}
		if f != nil {
			if wrong := contract.Fingerprint(f); wrong != "" {
				return errors.New(wrong)
			}
		}
		if i == 0 {
			first = f
		} else if !proto.Equal(f, first) {
			return fmt.Errorf("the fingerprint is %s, and then %s, while nothing changes", short(first), short(f))
		}
	}
	return nil
}

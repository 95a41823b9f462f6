package conformance

import (
	"context"
	"fmt"
	"mime"
	"regexp"
	"slices"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/contract"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
)

var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

func infoName(_ context.Context, s *subject) error {
	if !identifier.MatchString(s.info.Name) {
		return fmt.Errorf("the plugin calls itself %.80q", s.info.Name)
	}
	if len(s.info.Stages) == 0 {
		return fmt.Errorf("the plugin has no stages")
	}
	if n := len(s.info.Stages); n > contract.MaxStages {
		return fmt.Errorf("the plugin has %d stages, and one has at most %d", n, contract.MaxStages)
	}
	seen := map[string]bool{}
	for _, st := range s.info.Stages {
		kind, ok := schema.KindName(st.Kind)
		if !ok {
			return fmt.Errorf("stage %.80q is of kind %d, which there is not", st.Name, st.Kind)
		}
		name := kind + " " + st.Name
		if !identifier.MatchString(st.Name) {
			return fmt.Errorf("%.80q is no identifier", name)
		}
		if seen[name] {
			return fmt.Errorf("%s is there twice", name)
		}
		seen[name] = true
	}
	return nil
}

func infoVersion(_ context.Context, s *subject) error {
	if !contract.Version(s.info.Version) {
		return fmt.Errorf("the version is %.80q", s.info.Version)
	}
	return nil
}

// infoSchema passes over what is infoName's.
func infoSchema(_ context.Context, s *subject) error {
	for _, st := range s.info.Stages {
		if _, ok := schema.KindName(st.Kind); !ok || !identifier.MatchString(st.Name) {
			continue
		}
		if _, err := schema.FromProto(s.info.Name, s.info.Version, st); err != nil {
			return err
		}
	}
	return nil
}

func infoMedia(_ context.Context, s *subject) error {
	for _, st := range s.info.Stages {
		types := append(slices.Clone(st.Consumes), st.Produces...)
		for _, a := range st.GetSchema().GetAttributes() {
			types = append(types, a.Accepts...)
		}
		for _, t := range types {
			if _, _, err := mime.ParseMediaType(t); err != nil {
				return fmt.Errorf("stage %.80q: media type %.80q: %v", st.Name, t, err)
			}
		}
		switch {
		case st.Kind == pluginv1.Kind_KIND_TRAINER && len(st.Produces) == 0:
			return fmt.Errorf("trainer %s does not say of which media type its checkpoints are", st.Name)
		case st.Kind == pluginv1.Kind_KIND_EXPORTER && (len(st.Produces) == 0 || len(st.Consumes) == 0):
			return fmt.Errorf("exporter %s does not say what it reads and writes: consumes %q, produces %q", st.Name, st.Consumes, st.Produces)
		}
	}
	return nil
}

// features are those of the protocol, with the kinds that have them.
var features = map[string][]pluginv1.Kind{
	"score":       {pluginv1.Kind_KIND_GENERATOR},
	"json_schema": {pluginv1.Kind_KIND_GENERATOR},
	"stream":      {pluginv1.Kind_KIND_GENERATOR},
	"chat":        {pluginv1.Kind_KIND_GENERATOR},
	"import":      {pluginv1.Kind_KIND_GENERATOR, pluginv1.Kind_KIND_TRAINER},
}

func infoFeatures(_ context.Context, s *subject) error {
	var unknown error
	for _, st := range s.info.Stages {
		for _, f := range st.Features {
			if kinds := features[f]; kinds == nil {
				unknown = notChecked("stage %.80q has the feature %.80q, which this version does not know and ignores", st.Name, f)
			} else if !slices.Contains(kinds, st.Kind) {
				return fmt.Errorf("stage %.80q has the feature %s, which is not for its kind", st.Name, f)
			}
		}
	}
	return unknown
}

func infoSame(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	if s.host == nil {
		if err := s.renew(); err != nil {
			return err
		}
	}
	for i := range 3 {
		h := s.host
		if i == 2 {
			other, err := s.fresh()
			if err != nil {
				return err
			}
			defer other.Close()
			h = other
		}
		info, _, err := h.Describe(ctx, s.bench.name())
		if err != nil {
			return err
		}
		if !proto.Equal(info, s.info) {
			return fmt.Errorf("it describes itself in another way the next time: %s", differ(wireOf(s.info), wireOf(info)))
		}
	}
	return nil
}

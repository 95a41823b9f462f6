package host

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/agext/levenshtein"

	"jupiter/plugins/contract"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
)

// catalog is what all plugins together offer.
type catalog struct {
	stages []*schema.Stage // by kind, in the order of schema.Kinds, then by type
	byName map[string]*schema.Stage
}

func stageName(kind, typ string) string { return kind + " " + typ }

// Stages lists what the plugins offer, in the order of kinds and types. The first call asks every plugin, all at once,
// unless the cache knows the answer; the schemas are shared and must not be changed.
func (h *Host) Stages(ctx context.Context) ([]*schema.Stage, error) {
	c, err := h.stages(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(c.stages), nil
}

// Stage gives the implementation of a kind with a type. The error of an unknown one lists what there is.
func (h *Host) Stage(ctx context.Context, kind, typ string) (*Stage, error) {
	c, err := h.stages(ctx)
	if err != nil {
		return nil, err
	}
	s := c.byName[stageName(kind, typ)]
	if s == nil {
		return nil, c.unknown(kind, typ)
	}
	return &Stage{Schema: s, conn: &conn{pool: h.pools[s.Plugin], stage: stageName(kind, typ), version: s.Version, exclusive: !s.Concurrent, schema: s}}, nil
}

func (h *Host) stages(ctx context.Context) (*catalog, error) {
	h.catalogMu.Lock()
	defer h.catalogMu.Unlock()
	if h.catalog != nil || h.refused != nil {
		return h.catalog, h.refused
	}
	names := make([]string, 0, len(h.pools))
	for n := range h.pools {
		names = append(names, n)
	}
	slices.Sort(names)
	infos := make([]*pluginv1.InfoResponse, len(names))
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, n := range names {
		wg.Go(func() { infos[i], errs[i] = h.info(ctx, n) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	c := &catalog{byName: map[string]*schema.Stage{}}
	for i, info := range infos {
		if err := c.add(names[i], info); err != nil {
			h.refused = h.described(names[i], err)
			return nil, h.refused
		}
	}
	c.sort()
	h.catalog = c
	return c, nil
}

func (c *catalog) add(plugin string, info *pluginv1.InfoResponse) error {
	breach := func(format string, args ...any) error {
		e := &ProtocolError{Plugin: plugin, Detail: fmt.Sprintf(format, args...)}
		if contract.Word(info.Version) {
			e.Version = info.Version
		}
		return e
	}
	if info.Name != plugin {
		return breach("it calls itself %.40q", info.Name)
	}
	if !contract.Version(info.Version) {
		return breach("it says that its version is %.40q, and one is like 1.2.3", info.Version)
	}
	if len(info.Stages) > contract.MaxStages {
		return breach("it lists %d stages, at most %d are allowed", len(info.Stages), contract.MaxStages)
	}
	for _, p := range info.Stages {
		s, err := schema.FromProto(plugin, info.Version, p)
		if _, known := schema.KindName(p.GetKind()); err != nil && !known {
			return err // it may be made for a later version of the host
		} else if err != nil {
			return breach("%s", strings.TrimPrefix(err.Error(), "plugin "+plugin+": "))
		}
		name := stageName(s.Kind, s.Type)
		if other := c.byName[name]; other != nil && other.Plugin == plugin {
			return breach("it lists %s twice", name)
		} else if other != nil {
			return fmt.Errorf("%s is offered by two plugins, %s and %s", name, other.Plugin, plugin)
		}
		c.byName[name] = s
		c.stages = append(c.stages, s)
	}
	return nil
}

// described completes an error about what a plugin said of itself with what the host knows of the plugin.
func (h *Host) described(plugin string, err error) error {
	var e *ProtocolError
	if !errors.As(err, &e) {
		return err
	}
	if sum, err := h.pools[plugin].exe.checksum(); err == nil {
		e.Checksum = hex.EncodeToString(sum)
	}
	for _, p := range h.pools[plugin].processes() { // none where the description was kept from before
		e.Stderr = p.lastWords()
	}
	return e
}

func (c *catalog) sort() {
	order := map[string]int{}
	for i, k := range schema.Kinds() {
		order[k] = i
	}
	slices.SortFunc(c.stages, func(a, b *schema.Stage) int {
		if a.Kind != b.Kind {
			return order[a.Kind] - order[b.Kind]
		}
		return strings.Compare(a.Type, b.Type)
	})
}

// unknown is the error of a stage that no plugin offers.
func (c *catalog) unknown(kind, typ string) error {
	if !slices.Contains(schema.Kinds(), kind) {
		return fmt.Errorf("there is no kind of stage %q; the kinds are %s", kind, strings.Join(schema.Kinds(), ", "))
	}
	var types, elsewhere []string
	for _, s := range c.stages {
		switch {
		case s.Kind == kind:
			types = append(types, s.Type)
		case s.Type == typ:
			elsewhere = append(elsewhere, s.Kind)
		}
	}
	if len(types) == 0 {
		return fmt.Errorf("no plugin offers %s %q, or any other %s", kind, typ, kind)
	}
	msg := fmt.Sprintf("no plugin offers %s %q; there is %s", kind, typ, strings.Join(types, ", "))
	if near := nearest(typ, types); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	} else if len(elsewhere) > 0 {
		msg += fmt.Sprintf("; %q is a %s", typ, strings.Join(elsewhere, " and a "))
	}
	return errors.New(msg)
}

// nearest gives the word that s is probably a misspelling of, or "".
func nearest(s string, words []string) string {
	best, distance := "", min(3, len(s)/2)
	for _, w := range words {
		if d := levenshtein.Distance(s, w, nil); d <= distance && d < len(w) {
			if best == "" || d < distance {
				best, distance = w, d
			}
		}
	}
	return best
}

// info asks a plugin what it offers, unless the cache has its answer.
func (h *Host) info(ctx context.Context, name string) (*pluginv1.InfoResponse, error) {
	key, err := h.cacheKey(name)
	var changed *ChecksumError
	if errors.As(err, &changed) {
		return nil, changed
	} else if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", name, err)
	}
	hidden := h.pools[name].exe.hidden()
	if info := h.cached(name, key); info != nil && !hidden {
		return info, nil
	}
	client := pluginv1.NewPluginClient(&conn{pool: h.pools[name], stage: "plugin " + name})
	info, err := client.Info(ctx, &pluginv1.InfoRequest{HostVersion: h.opts.Version})
	if err != nil {
		return nil, err
	}
	if probe := (&catalog{byName: map[string]*schema.Stage{}}); hidden || probe.add(name, info) != nil {
		return info, nil // what is refused may be another answer the next time
	}
	return info, h.cache(name, key, info)
}

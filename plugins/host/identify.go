package host

import (
	"context"
	"encoding/hex"
	"fmt"

	"jupiter/plugins/contract"
	"jupiter/plugins/schema"
	"jupiter/plugins/sdk"
)

// Identity is what a plugin says of itself, and how it was reached.
type Identity struct {
	Name     string // that it calls itself, whatever the host calls it
	Version  string
	Protocol int
	TLS      TLS // with TLSDetect: what was found, or TLSDetect itself where the answer was in the cache
	Checksum string
	Stages   []*schema.Stage
}

// Identify asks one plugin who it is. The name that it gives is not compared with the one that the host has for it.
func (h *Host) Identify(ctx context.Context, name string) (*Identity, error) {
	l := h.pools[name]
	if l == nil {
		return nil, fmt.Errorf("there is no plugin %s", name)
	}
	info, err := h.info(ctx, name)
	if err != nil {
		return nil, err
	}
	if !contract.Word(info.Name) {
		return nil, &ProtocolError{Plugin: name, Detail: fmt.Sprintf("it calls itself %.40q", info.Name)}
	}
	sum, err := l.exe.checksum()
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", name, err)
	}
	id := &Identity{Name: info.Name, Version: info.Version, Protocol: sdk.ProtocolVersion, TLS: l.tls(), Checksum: hex.EncodeToString(sum)}
	c := &catalog{byName: map[string]*schema.Stage{}}
	info.Name = name
	if err := c.add(name, info); err != nil {
		return nil, err
	}
	c.sort()
	id.Stages = c.stages
	return id, nil
}

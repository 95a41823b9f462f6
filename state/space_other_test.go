//go:build !linux

package state

import (
	"context"
	"errors"
)

func workInLittleSpace(context.Context, string, string) error {
	return errors.New("only on linux")
}

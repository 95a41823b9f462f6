package sdk

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"jupiter/plugins/sdk/certificate"
)

// AutoMTLSKey holds the certificate of a host that asks the plugin to make one too, and to hand it over with the handshake.
// The name is go-plugin's.
const AutoMTLSKey = "PLUGIN_CLIENT_CERT"

// certified makes the plugin's certificate for a host that has shown its own. go-plugin would do so by itself, on P-521, and
// take fifteen milliseconds more. Given a configuration it leaves the certificate out of its
// handshake, so the handshake is completed on its way to stdout. Without a certificate of the host's there is nothing to do.
func certified(host string, stdout *os.File) (func() (*tls.Config, error), error) {
	if host == "" {
		return nil, nil
	}
	ours, _, _, err := certificate.New()
	if err != nil {
		return nil, err
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM([]byte(host)) {
		return nil, errors.New("the certificate of the host cannot be read")
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	os.Stdout = w // until go-plugin, after its handshake, sets another
	go func() {
		if err := passHandshake(r, stdout, ours.Certificate[0]); err != nil {
			fmt.Fprintf(os.Stderr, "hand over the certificate: %v\n", err)
			os.Exit(1)
		}
	}()
	config := &tls.Config{Certificates: []tls.Certificate{ours}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}
	return func() (*tls.Config, error) { return config, nil }, nil
}

// handshakeCertificate is the place of the certificate among the parts of a handshake, which bars separate.
const handshakeCertificate = 5

// passHandshake copies the one line of a handshake, and puts a certificate in its place there.
func passHandshake(from io.Reader, to io.Writer, cert []byte) error {
	line, err := bufio.NewReader(from).ReadString('\n')
	if err != nil {
		return fmt.Errorf("read the handshake: %w", err)
	}
	parts := strings.Split(strings.TrimSuffix(line, "\n"), "|")
	if len(parts) <= handshakeCertificate || parts[handshakeCertificate] != "" {
		return fmt.Errorf("a handshake of another form: %q", line)
	}
	parts[handshakeCertificate] = base64.RawStdEncoding.EncodeToString(cert)
	_, err = fmt.Fprintln(to, strings.Join(parts, "|"))
	return err
}

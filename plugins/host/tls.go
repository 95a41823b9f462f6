package host

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"

	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/certificate"
)

// TLS is how a connection is secured. In each case both sides show a certificate that was made for this one process, and
// trust no other.
type TLS string

const (
	// TLSAuto is go-plugin's AutoMTLS, and the default: host and plugin each make a certificate, and hand it over with the
	// environment and the handshake. Neither key leaves its process. The host makes its own in the place of go-plugin, as
	// the SDK does: package certificate says why.
	TLSAuto TLS = "auto"

	// TLSGiven is for plugins that cannot make certificates, as with Python's grpcio. The host makes both, on P-256, and the
	// plugin finds its own with its key in the environment (sdk.TLSCertKey and so on), which this user alone can read.
	TLSGiven TLS = "given"

	// TLSOff leaves the certificates out. The directory of the socket, which only this user can enter, is then all that
	// keeps others out.
	TLSOff TLS = "off"

	// TLSDetect is TLSAuto, and TLSGiven where the plugin then shows no certificate: for a program of which nothing is
	// known yet. Host.Identify says which of the two it is.
	TLSDetect TLS = "detect"
)

// noCertificate says that a plugin was asked to make a certificate and shows none.
type noCertificate struct{ *ProtocolError }

func (e noCertificate) Unwrap() error { return e.ProtocolError }

// certified says whether a handshake carries a certificate: it is the sixth part of six or more.
func certified(handshake string) bool {
	parts := strings.Split(handshake, "|")
	return len(parts) >= 6 && parts[5] != ""
}

// certificates makes what the host needs of them: its side of the connection, and what goes into the plugin's environment.
// For TLSAuto go-plugin adds to the first the certificate that it finds in the handshake. For TLSOff there are none.
func (t TLS) certificates() (*tls.Config, []string, error) {
	if t == TLSOff {
		return nil, nil, nil
	}
	ours, ourPEM, _, err := certificate.New()
	if err != nil {
		return nil, nil, err
	}
	// Until a certificate is added there is none to trust.
	config := &tls.Config{Certificates: []tls.Certificate{ours}, RootCAs: x509.NewCertPool(), ServerName: certificate.Name, MinVersion: tls.VersionTLS12}
	if t == TLSAuto {
		return config, []string{sdk.AutoMTLSKey + "=" + string(ourPEM)}, nil
	}
	_, theirPEM, theirKey, err := certificate.New()
	if err != nil {
		return nil, nil, err
	}
	if !config.RootCAs.AppendCertsFromPEM(theirPEM) {
		return nil, nil, fmt.Errorf("the certificate just made cannot be read")
	}
	return config, []string{
		sdk.TLSCertKey + "=" + string(theirPEM), sdk.TLSKeyKey + "=" + string(theirKey), sdk.TLSClientKey + "=" + string(ourPEM),
	}, nil
}

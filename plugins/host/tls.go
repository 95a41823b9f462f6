package host

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"time"

	"jupiter/plugins/sdk"
)

// TLS is how a connection is secured. In each case both sides show a certificate that was made for this one process, and
// trust no other.
type TLS string

const (
	// TLSAuto is go-plugin's AutoMTLS, and the default: host and plugin each make a certificate, and hand it over with the
	// environment and the handshake. Neither key leaves its process. The host's is on P-256: go-plugin would make one on
	// P-521, which takes five milliseconds, and as much again to sign with and to check.
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

// automtlsKey holds the host's certificate in the environment of a plugin that is to make its own. It is go-plugin's.
const automtlsKey = "PLUGIN_CLIENT_CERT"

// certificates makes what the host needs of them: its side of the connection, and what goes into the plugin's environment.
// For TLSAuto go-plugin adds to the first the certificate that it finds in the handshake. For TLSOff there are none.
func (t TLS) certificates() (*tls.Config, []string, error) {
	if t == TLSOff {
		return nil, nil, nil
	}
	ours, ourPEM, _, err := selfSigned()
	if err != nil {
		return nil, nil, err
	}
	// Until a certificate is added there is none to trust.
	config := &tls.Config{Certificates: []tls.Certificate{ours}, RootCAs: x509.NewCertPool(), ServerName: certName, MinVersion: tls.VersionTLS12}
	if t == TLSAuto {
		return config, []string{automtlsKey + "=" + string(ourPEM)}, nil
	}
	_, theirPEM, theirKey, err := selfSigned()
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

// certName is what both certificates are for; no name is looked up on a Unix socket.
const certName = "localhost"

func selfSigned() (cert tls.Certificate, certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return cert, nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return cert, nil, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: certName, Organization: []string{"Jupiter"}}, DNSNames: []string{certName}, SerialNumber: serial,
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0), // a clock may be set while a run lasts
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return cert, nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return cert, nil, nil, err
	}
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, certPEM, keyPEM, nil
}

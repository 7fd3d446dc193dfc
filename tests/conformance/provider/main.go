// Command terraform-provider-conformance is a provider whose objects are files, for testing an engine against
// HashiCorp's own provider libraries.
//
// It serves protocol 5 (SDKv2 and framework behind tf5muxserver, as the AWS provider does) or protocol 6 (framework
// and upgraded SDKv2 behind tf6muxserver). An engine starts a provider without arguments, so the name of the
// executable decides: a name that ends in "6" serves protocol 6 as terrane/conformance6, any other serves protocol 5 as
// terrane/conformance. CONFORMANCE_PROTOCOL=5|6 overrules the name. Type names start with "conformance_" in both.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-mux/tf5muxserver"
	"github.com/hashicorp/terraform-plugin-mux/tf5to6server"
	"github.com/hashicorp/terraform-plugin-mux/tf6muxserver"
)

const (
	address5 = "registry.terraform.io/terrane/conformance"
	address6 = "registry.terraform.io/terrane/conformance6"
)

func main() {
	var err error
	switch protocol() {
	case "5":
		err = serve5(context.Background())
	case "6":
		err = serve6(context.Background())
	default:
		err = fmt.Errorf("CONFORMANCE_PROTOCOL must be 5 or 6")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func protocol() string {
	if named := os.Getenv("CONFORMANCE_PROTOCOL"); named != "" {
		return named
	}
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	if strings.HasSuffix(name, "6") {
		return "6"
	}
	return "5"
}

func serve5(ctx context.Context) error {
	mux, err := tf5muxserver.NewMuxServer(ctx,
		sdkProvider().GRPCProvider,
		providerserver.NewProtocol5(&frameworkProvider{}),
		func() tfprotov5.ProviderServer { return &rawProvider{} },
	)
	if err != nil {
		return err
	}
	return tf5server.Serve(address5, mux.ProviderServer)
}

func serve6(ctx context.Context) error {
	sdk, err := tf5to6server.UpgradeServer(ctx, sdkProvider().GRPCProvider)
	if err != nil {
		return err
	}
	raw, err := tf5to6server.UpgradeServer(ctx, func() tfprotov5.ProviderServer { return &rawProvider{} })
	if err != nil {
		return err
	}
	mux, err := tf6muxserver.NewMuxServer(ctx,
		func() tfprotov6.ProviderServer { return sdk },
		providerserver.NewProtocol6(&frameworkProvider{nestedAttributes: true}),
		func() tfprotov6.ProviderServer { return raw },
	)
	if err != nil {
		return err
	}
	return tf6server.Serve(address6, mux.ProviderServer)
}

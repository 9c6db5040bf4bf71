/*
Copyright 2026 The app-operator authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	utilversion "k8s.io/apimachinery/pkg/util/version"
)

// release is a version of the operator: its image and that of its bundle, by digest, and that of the catalog in which it is
// the newest.
type release struct{ Version, Operator, Bundle, Catalog string }

// name returns that of the ClusterServiceVersion.
func (r release) name() string { return "app-operator.v" + r.Version }

// imageSet is everything that is built for the specs.
type imageSet struct {
	// Web serves HTTP, asks for it, and kills: test/e2e/web.
	Web string
	// Present is this checkout. Next is the same as the next patch release, and Broken the one after, whose operator does
	// not exist.
	Present, Next, Broken release
}

// buildImages builds everything and pushes it to our registry.
func buildImages(ctx context.Context) imageSet {
	GinkgoHelper()
	number := utilversion.MustParseSemantic(setting("VERSION", "1.0.0"))
	present := release{Version: number.String()}
	next := release{Version: number.WithPatch(number.Patch() + 1).String()}
	broken := release{Version: number.WithPatch(number.Patch() + 2).String()}

	web := buildImage(ctx, "app-operator-e2e-web", "./test/e2e/web", "web", "test/e2e/web/Dockerfile", present.Version)
	if registry == localRegistry { // elsewhere it is the real one
		runCommand(withRegistry(command(ctx, "crane", "copy", web, registry+"/library/nginx:latest")))
	}
	present.Operator = buildImage(ctx, "app-operator", "./cmd", "manager", "Dockerfile", present.Version)
	next.Operator = buildImage(ctx, "app-operator", "./cmd", "manager", "Dockerfile", next.Version)
	broken.Operator = registry + "/app-operator-that-does-not-exist:v" + broken.Version

	released := []*release{&present, &next, &broken}
	for i, r := range released {
		r.Bundle = buildBundle(ctx, *r)
		r.Catalog = buildCatalog(ctx, released[:i+1])
	}
	return imageSet{Web: web, Present: present, Next: next, Broken: broken}
}

// buildImage compiles the package, builds the last stage of the Dockerfile around it, pushes that, and returns its name
// with digest.
func buildImage(ctx context.Context, name, pkg, program, dockerfile, version string) string {
	GinkgoHelper()
	stage := filepath.Join(bin, "e2e", "images", name, "root")
	build := command(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+version,
		"-o", filepath.Join(stage, "workspace", program), pkg)
	build.Env = append(build.Env, "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+nodeArchitecture(ctx))
	runCommand(build)
	return packImage(ctx, name+":v"+version, dockerfile, filepath.Join(stage, "workspace"), "-stage", "builder="+stage,
		"-arg", "VERSION="+version)
}

// packImage builds the last stage of the Dockerfile, pushes it under the name to our registry, and returns the name with
// digest.
func packImage(ctx context.Context, name, dockerfile, folder string, args ...string) string {
	GinkgoHelper()
	layout := filepath.Join(bin, "e2e", "images", fileName(name), "layout")
	run(ctx, "image", append([]string{
		"-dockerfile", dockerfile, "-context", folder, "-output", layout, "-platforms", "linux/" + nodeArchitecture(ctx),
	}, args...)...)
	output := splitLines(runCommand(withRegistry(command(ctx, "crane", "push", layout, registry+"/"+name))))
	return output[len(output)-1]
}

// bundleFolder is where the release's bundle is generated: bundle/ and bundle.Dockerfile.
func bundleFolder(r release) string { return filepath.Join(bin, "e2e", "bundles", r.Version) }

// bundleTag names the image of the release's bundle as the template of the catalog does.
func bundleTag(r release) string { return "app-operator-bundle:v" + r.Version }

// buildBundle makes the bundle of the release's image, pushes it, and returns the name of its image.
func buildBundle(ctx context.Context, r release) string {
	GinkgoHelper()
	dir := bundleFolder(r)
	Expect(os.MkdirAll(dir, 0o750)).To(Succeed())
	build := command(ctx, filepath.Join(root, "hack", "bundle.sh"), r.Version, r.Operator, dir)
	build.Env = append(build.Env, "BIN="+bin)
	runCommand(build)
	return packImage(ctx, bundleTag(r), filepath.Join(dir, "bundle.Dockerfile"), dir)
}

// buildCatalog makes the catalog of the releases, of which the last is the newest, pushes it, and returns the name of its
// image.
func buildCatalog(ctx context.Context, released []*release) string {
	GinkgoHelper()
	newest := released[len(released)-1]
	dir := filepath.Join(bin, "e2e", "catalogs", newest.Version)
	Expect(os.MkdirAll(dir, 0o750)).To(Succeed())
	// The template that is shipped, with bundles of ours.
	shipped, err := os.ReadFile(filepath.Join(root, "catalog", "catalog-templates", "semver.yaml"))
	Expect(err).NotTo(HaveOccurred())
	bundles := regexp.MustCompile(`(?m)^( *)- Image: .*\n`)
	indent := bundles.FindSubmatch(shipped)
	Expect(indent).NotTo(BeNil())
	template := bundles.ReplaceAll(shipped, nil)
	for _, r := range released {
		template = fmt.Appendf(template, "%s- Image: %s/%s\n", indent[1], registry, bundleTag(*r))
	}
	file := filepath.Join(dir, "template.yaml")
	Expect(os.WriteFile(file, template, 0o600)).To(Succeed())

	build := withRegistry(command(ctx, filepath.Join(root, "hack", "catalog.sh"),
		file, registry+"/"+bundleTag(*newest), bundleFolder(*newest), dir))
	build.Env = append(build.Env, "BIN="+bin)
	runCommand(build)
	return packImage(ctx, "app-operator-catalog:v"+newest.Version, "catalog.Dockerfile", dir)
}

// buildScorecard pushes what the scorecard runs in pods: its tests, under the name that the bundle gives them, and an image
// that unpacks the bundle for them, whose name it returns.
func buildScorecard(ctx context.Context) string {
	GinkgoHelper()
	busybox, err := exec.LookPath("busybox")
	Expect(err).NotTo(HaveOccurred(), "Remedy: apt-get install busybox-static")
	tests, err := os.ReadFile(filepath.Join(root, "config", "scorecard", "patches", "basic.config.yaml"))
	Expect(err).NotTo(HaveOccurred())
	name := regexp.MustCompile(`image: quay\.io/(\S+)`).FindSubmatch(tests)
	Expect(name).To(HaveLen(2))
	packImage(ctx, string(name[1]), "test/e2e/scorecard/test.Dockerfile", setting("IMAGE_BIN", bin))
	return packImage(ctx, "app-operator-e2e-untar:e2e", "test/e2e/scorecard/untar.Dockerfile", filepath.Dir(busybox))
}

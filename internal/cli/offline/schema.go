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

package offline

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
)

// Schema is what the API server knows of the kind of a CRD, here of Applications: the schema of each version with its rules.
type Schema map[string]version

type version struct {
	structural *structuralschema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

// NewSchema returns the schema in the file of a CRD.
func NewSchema(crd []byte) (Schema, error) {
	given := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(crd, given); err != nil {
		return nil, fmt.Errorf("the CustomResourceDefinition: %w", err)
	}
	schema := Schema{}
	for _, each := range given.Spec.Versions {
		internal := &apiextensions.CustomResourceValidation{}
		if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(each.Schema, internal, nil); err != nil {
			return nil, fmt.Errorf("version %s of the CustomResourceDefinition: %w", each.Name, err)
		}
		structural, err := structuralschema.NewStructural(internal.OpenAPIV3Schema)
		if err != nil {
			return nil, fmt.Errorf("version %s of the CustomResourceDefinition: %w", each.Name, err)
		}
		validator, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
		if err != nil {
			return nil, fmt.Errorf("version %s of the CustomResourceDefinition: %w", each.Name, err)
		}
		schema[each.Name] = version{structural, validator, cel.NewValidator(structural, true, celconfig.PerCallLimit)}
	}
	return schema, nil
}

// Application returns what the API server would store of a document, with defaults, or why it would refuse it, in its words. What is
// refused is not decoded: there are quantities that take minutes.
func (s Schema) Application(ctx context.Context, document *Document) (*v1.Application, []string) {
	object, refused := s.Stored(ctx, document)
	if len(refused) > 0 {
		return nil, refused
	}
	app := &v1.Application{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, app); err != nil {
		return nil, []string{err.Error()}
	}
	return app, nil
}

// Stored returns what the API server would store of a document of the CRD's kind, with defaults, or why it would refuse it, in its words.
func (s Schema) Stored(ctx context.Context, document *Document) (object map[string]any, refused []string) {
	known, ok := s[document.GroupVersionKind().Version]
	if !ok {
		return nil, []string{field.NotSupported(field.NewPath("apiVersion"), document.GetAPIVersion(), []string{v1.GroupVersion.String()}).Error()}
	}
	object = document.DeepCopy().Object
	delete(object, "status") // the API server drops what a client gives
	meta, _, unknown, err := objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		return nil, []string{"metadata: " + err.Error()}
	}
	if document.GetName() == "" && meta.GenerateName != "" {
		meta.Name = meta.GenerateName + "00000" // the API server chooses one, of as many characters
		if err := unstructured.SetNestedField(object, meta.Name, "metadata", "name"); err != nil {
			return nil, []string{"metadata: " + err.Error()}
		}
	}
	unknown = append(unknown, pruning.PruneWithOptions(object, known.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})...)
	defaulting.PruneNonNullableNullsWithoutDefaults(object, known.structural)
	defaulting.Default(object, known.structural)
	for _, err := range known.refusals(ctx, object, meta) {
		refused = append(refused, strings.TrimPrefix(err.Error(), "<nil>: ")) // of the whole object
	}
	slices.Sort(unknown)
	for _, path := range unknown {
		refused = append(refused, fmt.Sprintf("unknown field %q; correct its name, or remove it", path))
	}
	return object, refused
}

// refusals returns why the API server would refuse an object with defaults, in the order in which it finds out.
func (v *version) refusals(ctx context.Context, object map[string]any, meta *metav1.ObjectMeta) field.ErrorList {
	placed := meta.DeepCopy()
	if placed.Namespace == "" {
		placed.Namespace = metav1.NamespaceDefault // it gets one from --namespace or the context
	}
	errs := metavalidation.ValidateObjectMeta(placed, true, metavalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	errs = append(errs, validation.ValidateCustomResource(nil, object, v.validator)...)
	errs = append(errs, objectmeta.Validate(ctx, nil, object, v.structural, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, v.structural, object)...)
	if slices.ContainsFunc(errs, blocksRules) {
		return errs
	}
	broken, _ := v.rules.Validate(ctx, nil, v.structural, object, nil, celconfig.RuntimeCELCostBudget)
	return append(errs, broken...)
}

// blocksRules reports whether the API server checks no rules of an object with this error.
func blocksRules(err *field.Error) bool {
	switch err.Type {
	case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
		return true
	default:
		return false
	}
}

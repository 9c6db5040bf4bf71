# A catalog of files alone. A CatalogSource has to say where they are, so that OLM serves them by its own opm:
#   spec: {grpcPodConfig: {extractContent: {catalogDir: /configs}}}
FROM scratch
LABEL operators.operatorframework.io.index.configs.v1=/configs
COPY catalog/configs /configs/

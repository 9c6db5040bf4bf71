FROM scratch
COPY . /bin/
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN ["mkdir", "-m", "1777", "/tmp", "/configs", "/database"]
# operator-sdk run bundle takes this image for an empty catalog.
LABEL operators.operatorframework.io.index.configs.v1=/configs
USER 1001
EXPOSE 50051
ENTRYPOINT ["/bin/opm"]

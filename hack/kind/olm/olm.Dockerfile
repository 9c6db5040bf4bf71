FROM scratch
COPY . /bin/
RUN ["/bin/busybox", "ln", "-s", "busybox", "/bin/cp"]
USER 1001
EXPOSE 8080 5443
ENTRYPOINT ["/bin/olm"]

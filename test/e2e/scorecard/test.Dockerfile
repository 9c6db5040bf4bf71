# operator-sdk's scorecard-test, where its own image cannot be pulled.
FROM scratch
COPY scorecard-test /usr/local/bin/scorecard-test
USER 1001
ENTRYPOINT ["/usr/local/bin/scorecard-test"]

// What pages do better with JavaScript; without it all of them work.
import {
  Button, ErrorSummary, FileUpload, NotificationBanner, ServiceNavigation, SkipLink, createAll,
} from "govuk-frontend";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
for (const component of [
  Button, ErrorSummary, FileUpload, NotificationBanner, ServiceNavigation, SkipLink,
]) {
  createAll(component);
}

"""Services: each function is one use case, done completely or not at all."""

from cardwatch.casebook.alert_queries import AlertFilter
from cardwatch.casebook.api_keys import actor_of_key
from cardwatch.casebook.case_alerts import MOST_IN_CASE
from cardwatch.casebook.people import actor_of_person, add_organisation
from cardwatch.casebook.sessions import actor_of_session
from cardwatch.reports import PURPOSES
from cardwatch.services.active_documents import activate_document, retrain_model
from cardwatch.services.aggregates import make_aggregate
from cardwatch.services.alert_lists import (
    MAX_DECIDED_TOGETHER,
    adjacent_alerts,
    count_alerts,
    decide_together,
    list_assignees,
    list_units,
)
from cardwatch.services.alert_order import PROPOSED_ORDERS, alert_orders
from cardwatch.services.alerts import (
    alert_titles,
    check_suppression,
    decide,
    end_hold,
    end_suppression,
    get_alert,
    get_history,
    inbox_summary,
    list_alerts,
    list_holds,
    list_suppressions,
    names_for_display,
    pence_recovered,
    people_of,
    place_hold,
    pseudonymise,
    reveal_identity,
    rule_precision,
    state_counts,
    suppress,
)
from cardwatch.services.approvals import (
    decide_approval,
    get_approval,
    is_about_register,
    list_approvals,
)
from cardwatch.services.arrivals import ArrivalSettings, load_arrivals
from cardwatch.services.auth import (
    activate_account,
    change_password,
    end_provider_sessions,
    end_session,
    invite,
    list_sessions,
    require_step_up,
    sign_in,
    sign_in_with_provider,
    start_account,
    step_up,
)
from cardwatch.services.back_tests import ACTIVE, score_only
from cardwatch.services.backup import back_up, restore
from cardwatch.services.benchmarks import MOST_AGGREGATES, check_compares, compare_forces
from cardwatch.services.cardholders import CardholderDetail, get_cardholder
from cardwatch.services.case_export import export_case
from cardwatch.services.cases import (
    NewCase,
    add_case_alert,
    add_case_note,
    attach_file,
    case_name,
    cases_with_alert,
    change_case,
    close_case,
    count_cases,
    decline_referral,
    find_attachment,
    get_attachment,
    get_case,
    list_cases,
    list_referrals,
    open_case,
    refer_alert,
    remove_attachment,
    remove_case_alert,
    reopen_case,
    reveal_case,
)
from cardwatch.services.checkpoints import (
    chain_keys,
    checkpoint,
    verify_checkpoints,
    witness_request,
)
from cardwatch.services.columns import (
    FIELD_OF_REFUSAL,
    NAME_CHARACTERS,
    SETTLED_BY_COLUMNS,
    RememberedProfile,
    Upload,
    change_profile,
    discard_upload,
    erase_expired_uploads,
    get_column_profile,
    get_remembered_profile,
    keep_upload,
    list_column_profiles,
    list_profiles,
    list_register_profiles,
    list_uploads,
    note_preview,
    open_upload,
    profile_of_form,
    remove_profile,
    save_profile,
    save_register_profile,
)
from cardwatch.services.complaints import (
    acknowledge_complaint,
    add_complaint,
    answer_complaint,
    get_complaint,
    list_complaints,
)
from cardwatch.services.context import ServiceContext
from cardwatch.services.directory import (
    add_provided_group,
    add_provided_user,
    change_provided_group,
    change_provided_user,
    check_provider,
    list_directory_groups,
    list_directory_users,
    provided_group,
    provided_groups,
    provided_user,
    provided_users,
    remove_provided_group,
    remove_provided_user,
    set_group_role,
)
from cardwatch.services.drop_folder import ArrivalReader, Delivery, DropFolder, receive_folder
from cardwatch.services.equality import report_equality
from cardwatch.services.exports import (
    MAX_SELECTED,
    ExportRequest,
    export_alerts,
    list_exports,
)
from cardwatch.services.facts import export_facts
from cardwatch.services.governance_report import assess_impact, last_quarter, report_governance
from cardwatch.services.hand_alerts import MAX_RAISED_TOGETHER, raise_by_hand
from cardwatch.services.home import show_home
from cardwatch.services.imports import Receipt, receive
from cardwatch.services.jobs import (
    LONG_JOBS,
    STATEMENT,
    TRIALS,
    check_registers_now,
    do_next_job,
    file_names,
    get_job,
    list_refused_uploads,
    list_trials,
    note_refusal,
    queue_back_test,
    queue_evaluation,
    queue_import,
)
from cardwatch.services.notifications import (
    end_webhook,
    list_webhooks,
    reminders_due,
    send_due,
    set_webhook,
)
from cardwatch.services.packs import get_pack, preview_pack, propose_pack
from cardwatch.services.partition_export import export_partition
from cardwatch.services.payments import (
    MAX_EXPORTED,
    PaymentRule,
    count_payments,
    explain_payment,
    get_payment,
    list_payments,
)
from cardwatch.services.people import (
    add_person,
    count_approved,
    create_key,
    display_names,
    email_of,
    end_person,
    holds_no_card,
    list_cardholders,
    list_keys,
    list_people,
    revoke_key,
    set_link,
)
from cardwatch.services.policy_figures import (
    CLAUSE_LABELS,
    FIGURE_LABELS,
    LIMIT_LABELS,
    LIST_LABELS,
)
from cardwatch.services.publications import (
    answer_requests,
    check_publishes,
    preview_publication,
    publish_quarter,
)
from cardwatch.services.queries import (
    Query,
    ask_manager,
    get_query,
    list_queries,
    list_questions,
    queries_about,
    record_reply,
    send_query,
    send_query_reminders,
)
from cardwatch.services.refused_files import (
    list_refused_files,
    mail_refusals,
    open_refused_file,
    report_fetching,
    settle_refused_file,
)
from cardwatch.services.register_changes import EntryChange
from cardwatch.services.register_matches import (
    MatchToReview,
    NamesToReview,
    decide_match,
    list_matches,
    names_to_review,
)
from cardwatch.services.register_report import report_registers
from cardwatch.services.registers import (
    RegisterDetail,
    RegisterReceipt,
    RegisterSummary,
    StoredVersion,
    get_register,
    get_version,
    import_register,
    list_registers,
    uploadable_kinds,
    version_changes,
)
from cardwatch.services.reperformance import (
    IndependentCheck,
    agreement_rows,
    verify_all_independently,
    verify_independently,
)
from cardwatch.services.rules import get_rule
from cardwatch.services.sampling import SampleRequest, draw_sample, highest_rate, sample_size
from cardwatch.services.scoring_inputs import pack_cards, pack_forest, pack_policy, pack_rules
from cardwatch.services.settings import (
    change_policy,
    decide_proposal,
    get_model,
    get_policy,
    get_proposal,
    has_approver,
    list_active,
    list_proposals,
    list_rules,
    policy_form,
    preview,
    preview_policy,
    propose,
    rules_with,
)
from cardwatch.services.sftp import SftpPull
from cardwatch.services.siem import siem_events
from cardwatch.services.statement_list import get_statement, list_statements
from cardwatch.services.subject_access import check_oversees, make_subject_access_pack
from cardwatch.services.subject_links import subject_links, supplier_ids
from cardwatch.services.subject_rows import SubjectLink, SubjectLinks
from cardwatch.services.suppliers import SupplierDetail, get_supplier
from cardwatch.services.units import UnitDetail, get_unit
from cardwatch.services.verification import (
    StatementCheck,
    audit_events,
    chain_faults,
    count_audit_events,
    erase,
    health,
    list_expired,
    purge_due,
    retention_periods,
    verify,
    verify_audit,
    verify_statement,
)
